"""JSON Schemas as the vendor takes them for answers."""

from __future__ import annotations

from typing import Any, Final

_MANY: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "allOf", "oneOf", "prefixItems")


def closed(schema: Any) -> Any:
    """The schema with every object closed, which the vendor demands: what satisfies it satisfies the caller's too.

    An object that says itself whether it takes more is left as it is.
    """
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for key in _MANY:
        if isinstance(inner := schema.get(key), dict):
            result[key] = {name: closed(each) for name, each in inner.items()}
    for key in _LISTS:
        if isinstance(inner := schema.get(key), list):
            result[key] = [closed(each) for each in inner]
    if "items" in schema:
        result["items"] = closed(schema["items"])
    if schema.get("type") == "object" or "properties" in schema:
        result.setdefault("additionalProperties", False)
    return result
