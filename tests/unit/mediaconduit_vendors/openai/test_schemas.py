from typing import Any

import pytest
from mediaconduit_vendors.openai.schemas import guaranteed

STRING = {"type": "string"}


def an_object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def test_open_objects_are_closed_at_every_depth() -> None:
    inner = an_object(a=STRING)
    schema = an_object(
        plain=inner,
        listed={"type": "array", "items": inner},
        either={"anyOf": [inner, {"type": "null"}]},
    ) | {"$defs": {"named": inner}}
    closed = {**inner, "additionalProperties": False}
    sent, strict = guaranteed(schema)
    assert strict
    assert sent == {
        **an_object(
            plain=closed,
            listed={"type": "array", "items": closed},
            either={"anyOf": [closed, {"type": "null"}]},
        ),
        "$defs": {"named": closed},
        "additionalProperties": False,
    }
    assert "additionalProperties" not in inner


@pytest.mark.parametrize(
    "schema",
    [
        an_object(required=[], a=STRING),
        {**an_object(a=STRING), "additionalProperties": True},
        {**an_object(a=STRING), "additionalProperties": STRING},
        {**an_object(a=STRING), "not": {"required": ["b"]}},
        an_object(a={"type": "array", "items": an_object(required=[], b=STRING)}),
        an_object(a={"oneOf": [STRING, {"type": "null"}]}),
        {"type": "array", "items": STRING},
        {"anyOf": [an_object(a=STRING)]},
        {**an_object(a=STRING), "$defs": {"b": an_object(required=[], c=STRING)}},
    ],
)
def test_what_cannot_be_guaranteed_goes_as_it_is(schema: dict[str, Any]) -> None:
    assert guaranteed(schema) == (schema, False)


def test_a_member_that_is_called_like_a_keyword_is_none() -> None:
    sent, strict = guaranteed(an_object(**{"not": STRING, "oneOf": STRING, "properties": an_object(a=STRING)}))
    assert strict
    assert sent["properties"]["properties"]["additionalProperties"] is False
