"""What a provider says about its settings. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
from mediaconduit.v1 import provider_pb2


def settings_schema(said: provider_pb2.DescribeResponse) -> dict[str, Any] | None:
    """The schema of the settings; None when it is none."""
    try:
        schema = json.loads(said.settings_schema)
    except ValueError:
        return None
    if not isinstance(schema, dict) or not jsonschema_rs.meta.is_valid(schema):
        return None
    return schema if schema.get("type", "object") == "object" else None


def secret_names(schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of the settings that are marked ``writeOnly``."""
    for name, node in schema.get("properties", {}).items():
        if isinstance(node, Mapping) and node.get("writeOnly"):
            yield prefix + name
        elif isinstance(node, Mapping):
            yield from secret_names(node, f"{prefix}{name}.")


def value_at(settings: Mapping[str, Any], path: str) -> Any:
    """A setting by its path; None when it is not there."""
    node: Any = settings
    for step in path.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def filled(settings: Any, upstream: str) -> Any:
    """Settings with the address of the vendor's stand-in in every place that asks for it."""
    if isinstance(settings, str):
        return settings.replace("{upstream}", upstream)
    if isinstance(settings, Mapping):
        return {key: filled(value, upstream) for key, value in settings.items()}
    return [filled(value, upstream) for value in settings] if isinstance(settings, list) else settings
