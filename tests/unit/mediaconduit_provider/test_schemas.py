from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from mediaconduit_provider.schemas import Checker, describe, path_of
from mediaconduit_provider.values import struct_to_plain


def test_mistakes_have_their_path_and_say_what_is_allowed() -> None:
    checker = Checker({"properties": {"a": {"items": {"properties": {"b": {"enum": ["x", "y"]}}}}}})
    (violation,) = checker.violations({"a": [{"b": "x"}, {"b": "z"}]}, "options")
    assert violation.field == "options.a[1].b"
    assert violation.description.endswith('allowed: one of "x", "y"')


def test_secret_values_are_not_repeated() -> None:
    checker = Checker({"properties": {"key": {"type": "string", "minLength": 20}}}, secret=True)
    (violation,) = checker.violations({"key": "s3cret"}, "settings")
    assert "s3cret" not in violation.description and "at least 20 characters" in violation.description


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, "integer from 1 to 5"),
        ({"type": "number", "minimum": 1}, "number at least 1"),
        ({"maximum": 3}, "at most 3"),
        ({"type": "string", "minLength": 2, "pattern": "^a"}, "string at least 2 characters, matching ^a"),
        ({"enum": [1, "a"]}, 'one of 1, "a"'),
        ({"type": "object", "properties": {}}, ""),
        (True, ""),
    ],
)
def test_what_is_allowed_is_said_in_words(schema: Any, words: str) -> None:
    assert describe(schema) == words


def test_paths_are_written_as_in_the_contract() -> None:
    assert path_of("options", ["audio", "speakers", 0, "name"]) == "options.audio.speakers[0].name"


def test_a_struct_is_json_again_with_whole_numbers() -> None:
    struct = Struct()
    struct.update({"n": 12, "f": 1.5, "l": [1, {"x": None}], "b": True, "s": "t", "big": 1e300})
    plain = struct_to_plain(struct)
    assert plain == {"n": 12, "f": 1.5, "l": [1, {"x": None}], "b": True, "s": "t", "big": 1e300}
    assert type(plain["n"]) is int and type(plain["l"][0]) is int and type(plain["big"]) is float
