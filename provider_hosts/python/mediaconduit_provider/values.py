"""Between protobuf and plain Python values: what authors and JSON Schemas see."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

_EXACT: Final = 2**53
"""Doubles hold every whole number up to here."""


def to_plain(message: Message) -> dict[str, Any]:
    """The fields that are set, under their names in the contract: durations in seconds, enums by name."""
    return {field.name: _field(field, value) for field, value in message.ListFields()}


def struct_to_plain(struct: Struct) -> dict[str, Any]:
    """A Struct as JSON values; whole numbers are integers again."""
    return {name: value_to_plain(value) for name, value in struct.fields.items()}


def value_to_plain(value: Value) -> Any:
    """A JSON value; whole numbers are integers again."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_to_plain(value.struct_value)
    if kind == "list_value":
        return [value_to_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def _field(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_single(field, item) for item in value]
    return _single(field, value)


def _single(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else value
    if field.message_type is None:
        return value
    kind = field.message_type.full_name
    if kind == "google.protobuf.Duration":
        seconds = value.seconds + value.nanos / 1e9
        return int(seconds) if seconds.is_integer() else seconds
    if kind == "google.protobuf.Struct":
        return struct_to_plain(value)
    return to_plain(value)
