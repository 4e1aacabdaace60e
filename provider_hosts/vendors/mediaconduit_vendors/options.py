"""Options of a call under a vendor's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mediaconduit_provider import Call

Schema = Mapping[str, Any]
"""JSON Schema of an option."""


def without(options: Mapping[str, Schema], *paths: str) -> dict[str, Schema]:
    """Options a vendor lacks taken away."""
    return {path: schema for path, schema in options.items() if path not in paths}


def passed_on(call: Call, fields: Mapping[str, str]) -> dict[str, Any]:
    """The options of a call under the vendor's names, and its own under theirs; absent ones stay absent."""
    request = {name: value for path, name in fields.items() if (value := call.option(path)) is not None}
    for path in call.model.options:
        if path.startswith("extra.") and (value := call.option(path)) is not None:
            place(request, path.removeprefix("extra."), value)
    return request


def place(request: dict[str, Any], path: str, value: Any) -> None:
    """Sets a value at a path of names ("provider.order")."""
    *groups, name = path.split(".")
    for group in groups:
        request = request.setdefault(group, {})
    request[name] = value


def paths_by_field(fields: Mapping[str, str]) -> dict[str, str]:
    """Paths in our request by the vendor's names, for errors."""
    return {name: f"options.{path}" for path, name in fields.items()} | {"messages": "turns", "model": "model"}
