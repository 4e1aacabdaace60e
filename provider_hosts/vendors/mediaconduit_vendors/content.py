"""Parts of a request in the forms that vendors take."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mediaconduit_provider import Call, Input, InvalidRequestError, Part, Role, Turn, VendorState

USER = frozenset({Role.ROLE_USER, Role.ROLE_UNSPECIFIED})
"""Roles of the caller's own turns."""


def numbered(turns: Sequence[Turn]) -> Iterator[tuple[str, Turn, Part]]:
    """Every part with the turn it is in and its path in the request ("turns[0].parts[1]")."""
    for t, turn in enumerate(turns):
        for p, part in enumerate(turn.parts):
            yield f"turns[{t}].parts[{p}]", turn, part


def media_type_of(part: Part) -> str:
    """Its media type without parameters, in lower case."""
    stated = part.media_type or part.asset.media_type or ("text/plain" if part.HasField("text") else "")
    return stated.partition(";")[0].strip().lower()


class Inputs:
    """The inputs of a call by their path, for those who walk its turns."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._by_field: dict[str, Input] | None = None

    async def read(self, part: Part, field: str) -> bytes:
        """All bytes of a part. Raises `InvalidRequestError` for one that is only a reference."""
        if part.HasField("data"):
            return part.data
        if part.HasField("text"):
            return part.text.encode()
        found = self._found(part.name).get(field)
        if found is None or found.uri:
            raise InvalidRequestError.at(field, "send the content itself: this vendor does not fetch it from elsewhere")
        return await found.read()

    def _found(self, name: str) -> Mapping[str, Input]:
        if self._by_field is None:
            names = {part.name for turn in self._call.turns for part in turn.parts}
            self._by_field = {found.field: found for each in names for found in self._call.inputs(each)}
        return self._by_field

    async def url(self, part: Part, field: str) -> str:
        """Where a vendor finds a part: its own URL, else a data URL."""
        if part.HasField("asset") and part.asset.uri.startswith("https://"):
            return part.asset.uri
        return data_url(await self.read(part, field), media_type_of(part))

    async def base64(self, part: Part, field: str) -> str:
        """A part in base64."""
        return base64.b64encode(await self.read(part, field)).decode()


def data_url(data: bytes, media_type: str) -> str:
    """Bytes as a "data:" URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def parsed_schema(text: str, where: str) -> dict[str, Any]:
    """A JSON Schema that travels as text. Raises `InvalidRequestError` at `where` when it is none."""
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise InvalidRequestError.at(where, f"is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise InvalidRequestError.at(where, "is not a JSON Schema: it must be an object")
    return schema


def state_of(part: Part, vendor: str) -> Any:
    """What this vendor gave to be sent back with a part, as JSON; None when there is none of this vendor's."""
    state = part.vendor_state
    return json.loads(state.data) if state.data and state.provider == vendor else None


def state_from(value: Any, vendor: str) -> VendorState:
    """JSON that the vendor needs back."""
    return VendorState(provider=vendor, data=json.dumps(value, separators=(",", ":")).encode())


def text_only(parts: Sequence[Part], where: str) -> str:
    """The text of parts that may only be text. Raises `InvalidRequestError` for others."""
    for index, part in enumerate(parts):
        if part.WhichOneof("content") != "text":
            raise InvalidRequestError.at(f"{where}.parts[{index}]", "must be text here")
    return "\n".join(part.text for part in parts)
