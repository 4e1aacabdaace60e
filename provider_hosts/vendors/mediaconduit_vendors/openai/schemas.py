"""JSON Schemas as OpenAI guarantees them: it does so for a subset only, and refuses others when it is asked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit_provider import Call

_BEYOND: Final = frozenset(
    {
        "allOf",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "patternProperties",
        "propertyNames",
        "then",
        "unevaluatedProperties",
        "uniqueItems",
    }
)
"""Keywords that a guaranteed schema may not have."""
_NESTED: Final = ("properties", "$defs", "definitions")
"""Keywords that hold schemas by name."""


JSON_WANTED: Final = "Answer in JSON."
"""Said where any JSON is asked for: the vendor refuses that unless the word comes in the conversation."""


def lacks_the_word(call: Call) -> bool:
    """Whether any JSON is wanted, and nobody says so in words."""
    text = call.options.text.json_schema
    if not text or text.strip("{} \n\t"):
        return False
    return not any("json" in part.text.lower() for turn in call.turns for part in turn.parts)


def guaranteed(schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """A schema to send, and whether the vendor can guarantee it.

    Objects that leave further members open are closed: what satisfies the closed schema satisfies the open one. A
    schema with optional members, or beyond the vendor's subset, goes as it is, as what the model is to aim at.
    """
    closed = _closed(schema)
    if schema.get("type") == "object" and "anyOf" not in schema and _strict(closed):
        return closed, True
    return dict(schema), False


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _NESTED and isinstance(value, Mapping):
            made[name] = {key: _closed(inner) for key, inner in value.items()}
        else:
            made[name] = _closed(value) if name in ("items", "anyOf", "prefixItems") else value
    if _is_object(made):
        made.setdefault("additionalProperties", False)
        made.setdefault("properties", {})
    return made


def _strict(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(map(_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if _BEYOND & schema.keys():
        return False
    if _is_object(schema) and (
        schema.get("additionalProperties") is not False
        or set(schema.get("required") or ()) != set(schema.get("properties") or ())
    ):
        return False
    nested = [inner for name in _NESTED for inner in (schema.get(name) or {}).values()]
    return all(map(_strict, [*nested, *(schema.get(name) for name in ("items", "anyOf", "prefixItems"))]))


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema
