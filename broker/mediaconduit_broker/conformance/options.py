"""Options that a model lacks, and values that its schema does not allow. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from mediaconduit.v1.options_pb2 import TransformOptions

Schema = Mapping[str, Any]

PROBES: Final[tuple[tuple[str, Any], ...]] = (
    ("seed", 7),
    ("image.steps", 4),
    ("audio.pitch", 1.5),
    ("video.looping", True),
    ("embedding.dimensions", 8),
    ("transcript.speaker_count", 2),
    ("text.frequency_penalty", 0.5),
)
"""Shared options with values that are fine wherever they exist. No model has all of them."""
UNKNOWN_EXTRA: Final = "extra.no-such-option"
_WORD: Final = "no such value"
_RANGES: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_DOUBLE: (float("-inf"), float("inf")),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """An option with a value that the schema does not allow."""

    path: str
    value: Any


def parse(text: str) -> dict[str, Any] | None:
    """A schema; None when it is none that can be read."""
    try:
        schema = json.loads(text or "{}")
    except ValueError:
        return None
    return schema if isinstance(schema, dict) else None


def at(schema: Schema, path: str) -> Any:
    """The schema of the option at a path; None when the model does not have it."""
    node: Any = schema
    for step in path.split("."):
        node = node.get("properties", {}).get(step) if isinstance(node, Mapping) else None
    return node


def lacking(schema: Schema) -> Violation | None:
    """A shared option the model does not have; None when it has all that are known here."""
    for path, value in PROBES:
        group = path.partition(".")[0]
        if at(schema, path) is None and (group == path or at(schema, group) is None or _closed(schema, group)):
            return Violation(path, value)
    return None


def takes_any_extra(schema: Schema) -> bool:
    """Whether the schema lets options through that it does not describe."""
    extra = at(schema, "extra")
    return isinstance(extra, Mapping) and extra.get("additionalProperties", True) is not False


def violations(schema: Schema) -> Iterator[Violation]:
    """Values just outside of what the schema allows, for every option where it says a range or a list."""
    for path, leaf in _leaves(schema, ""):
        for value in _outside(leaf):
            if _fits(path, value):
                yield Violation(path, value)


def put(options: TransformOptions, path: str, value: Any) -> None:
    """Sets the option at a path."""
    group, _, rest = path.partition(".")
    if group == "extra":
        options.extra.update({rest: value})
        return
    message: Any = options
    *steps, name = path.split(".")
    for step in steps:
        message = getattr(message, step)
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.message_type is not None:
        getattr(message, name).FromNanoseconds(int(value * 1e9))
    else:
        setattr(message, name, value)


def _closed(schema: Schema, group: str) -> bool:
    node = at(schema, group)
    return isinstance(node, Mapping) and "properties" in node


def _leaves(schema: Any, prefix: str) -> Iterator[tuple[str, Schema]]:
    properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    for name, node in properties.items():
        # An object below "extra" is an option of its own, whatever is in it.
        if isinstance(node, Mapping) and "properties" in node and not prefix.startswith("extra."):
            yield from _leaves(node, f"{prefix}{name}.")
        elif isinstance(node, Mapping):
            yield prefix + name, node


def _outside(leaf: Schema) -> Iterator[Any]:
    if leaf.get("type") in ("integer", "number"):
        for key, step in (("maximum", 1), ("exclusiveMaximum", 0), ("minimum", -1), ("exclusiveMinimum", 0)):
            if isinstance(leaf.get(key), int | float):
                yield leaf[key] + step
    names = leaf.get("enum")
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        yield _WORD


def _fits(path: str, value: Any) -> bool:
    """Whether the message can hold the value at all."""
    if path.startswith("extra."):
        return True
    descriptor: Any = TransformOptions.DESCRIPTOR
    field: Any = None
    for step in path.split("."):
        field = descriptor.fields_by_name.get(step) if descriptor is not None else None
        if field is None or field.is_repeated:
            return False
        descriptor = field.message_type
    if isinstance(value, str):
        return bool(field.type == FieldDescriptor.TYPE_STRING)
    if descriptor is not None:
        return bool(descriptor.full_name == Duration.DESCRIPTOR.full_name)
    low, high = _RANGES.get(field.type, (1, 0))
    is_whole = field.type == FieldDescriptor.TYPE_DOUBLE or value == int(value)
    return bool(low <= value <= high and is_whole)
