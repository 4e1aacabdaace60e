"""JSON Schema, with mistakes told as fields of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediaconduit.errors import FieldViolation

_LIMITS: Final = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("multipleOf", "a multiple of {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("pattern", "matching {}"),
)


class Checker:
    """Checks values against one schema. Messages never hold the values with `secret`."""

    def __init__(self, schema: Mapping[str, Any], *, secret: bool = False) -> None:
        import jsonschema_rs  # 45 ms and 3 MB that a provider without options does not pay

        self._schema = schema
        self._validator: Any = jsonschema_rs.validator_for(dict(schema), mask="the value" if secret else None)

    def violations(self, values: Mapping[str, Any], root: str) -> list[FieldViolation]:
        """Every mistake, with its path below `root` and what is allowed there."""
        found = []
        for error in self._validator.iter_errors(dict(values)):
            description = str(error.message)
            if allowed := describe(self._schema_at(error.schema_path[:-1])):
                description = f"{description}; allowed: {allowed}"
            found.append(FieldViolation(path_of(root, error.instance_path), description[:400]))
        return found

    def _schema_at(self, path: Sequence[str | int]) -> Any:
        node: Any = self._schema
        for step in path:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return None
        return node


def path_of(root: str, path: Sequence[str | int]) -> str:
    """ "options.audio.speakers[0].name"."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def describe(schema: Any) -> str:
    """What a schema of one value allows, in words; empty when there is nothing short to say."""
    if not isinstance(schema, Mapping) or "properties" in schema:
        return ""
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    words = []
    kind = schema.get("type")
    if isinstance(kind, str):
        words.append(kind)
    if "minimum" in schema and "maximum" in schema:
        words.append(f"from {schema['minimum']} to {schema['maximum']}")
        schema = {name: value for name, value in schema.items() if name not in ("minimum", "maximum")}
    words += [text.format(schema[name]) for name, text in _LIMITS if name in schema]
    return " ".join(words[:1]) + (" " + ", ".join(words[1:]) if words[1:] else "") if words else ""
