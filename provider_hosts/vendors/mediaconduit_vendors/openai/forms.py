"""Forms: fields as text, inputs as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mediaconduit.content import suffix_of
from mediaconduit_provider import Input, InvalidRequestError, Part

File: TypeAlias = tuple[str, Input | Part]
"""A field and what goes there: an input, or an output that came back."""


def form(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a form has them: numbers and objects as JSON, lists as "name[]" several times."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, list | tuple):
            made[f"{name}[]"] = [_text(item) for item in value]
        else:
            made[name] = _text(value)
    return made


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def files_of(inputs: Sequence[File]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Files of a form. A vendor tells formats by the names' endings.

    Raises:
        InvalidRequestError: One is only a reference.
    """
    return [(field, await _file(given, field.removesuffix("[]"))) for field, given in inputs]


async def _file(given: Input | Part, name: str) -> tuple[str, bytes, str]:
    media_type = given.media_type.partition(";")[0].strip().lower()
    if isinstance(given, Part):
        if not given.HasField("data"):
            raise InvalidRequestError.at(
                "turns", "send the content of the model's own images: there is only a reference"
            )
        return f"{name}{suffix_of(media_type)}", given.data, media_type
    if given.uri:
        raise InvalidRequestError.at(
            given.field, "send the content itself: this vendor does not fetch it from elsewhere"
        )
    return f"{name}{suffix_of(media_type)}", await given.read(), media_type
