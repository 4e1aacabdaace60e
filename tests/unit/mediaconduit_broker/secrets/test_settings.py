from typing import Any

import pytest
from mediaconduit_broker.secrets import Secret
from mediaconduit_broker.secrets.settings import private_values, references, resolve, withhold

SECRET = {"type": "string", "writeOnly": True}
SCHEMA: dict[str, Any] = {
    "properties": {
        "key": SECRET,
        "region": {"type": "string"},
        "account": {"properties": {"token": SECRET, "name": {}}},
        "accounts": {"items": {"properties": {"token": SECRET}}},
        "login": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/login"}]},
        "whole": {"type": "object", "writeOnly": True},
        "tree": {"$ref": "#/$defs/tree"},
    },
    "patternProperties": {"^x-": SECRET},
    "$defs": {
        "login": {"allOf": [{"properties": {"password": SECRET}}]},
        "tree": {"allOf": [{"$ref": "#/$defs/tree"}], "properties": {"child": {"$ref": "#/$defs/tree"}, "pin": SECRET}},
    },
}


@pytest.mark.parametrize(
    ("settings", "kept", "names"),
    [
        ({"key": "a", "region": "eu"}, {"region": "eu"}, ("key",)),
        ({"account": {"token": "a", "name": "n"}}, {"account": {"name": "n"}}, ("account.token",)),
        ({"accounts": [{"token": "a"}, {"o": 1}]}, {"accounts": [{}, {"o": 1}]}, ("accounts.0.token",)),
        ({"login": {"password": "a", "user": "u"}}, {"login": {"user": "u"}}, ("login.password",)),
        ({"whole": {"a": ["b", 12345]}}, {}, ("whole",)),
        ({"tree": {"child": {"pin": "a"}}}, {"tree": {"child": {}}}, ("tree.child.pin",)),
        ({"x-a": "a", "y": "b"}, {"y": "b"}, ("x-a",)),
        ({"key": "secret:KEY"}, {"key": "secret:KEY"}, ()),
        ({"key": "secret:KEY and more"}, {}, ("key",)),
    ],
)  # fmt: skip
def test_secret_values_are_not_kept_wherever_the_schema_says_so(
    settings: dict[str, Any], kept: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert withhold(SCHEMA, settings) == (kept, names)


def test_every_text_of_a_secret_value_is_to_be_redacted() -> None:
    settings = {"whole": {"a": ["first", 12345]}, "key": "second", "accounts": [{"token": "third"}], "region": "eu"}
    assert {secret.reveal() for secret in private_values(SCHEMA, settings)} == {"first", "12345", "second", "third"}


def test_without_a_schema_nothing_is_secret() -> None:
    assert withhold({}, {"key": "a"}) == ({"key": "a"}, ())


def test_texts_that_stand_for_a_secret_are_replaced_or_left_out() -> None:
    settings = {"key": "secret:KEY", "list": ["secret:KEY", "secret:NONE", 1], "deep": {"a": "secret:NONE"}, "b": True}
    assert list(references(settings)) == ["KEY", "KEY", "NONE", "NONE"]
    assert resolve(settings, {"KEY": Secret("value")}) == {"key": "value", "list": ["value", 1], "deep": {}, "b": True}
    assert list(references({"a": "a secret:KEY", "b": "secret:", "c": "secret:1"})) == []
