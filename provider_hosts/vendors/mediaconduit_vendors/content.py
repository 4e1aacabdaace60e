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

    def input(self, part: Part, field: str) -> Input | None:
        """The input a part is, to be read in pieces; None for one within another part."""
        return self._found(part.name).get(field)

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


def prompt_of(call: Call, *, framed: bool = True, follows: bool = False) -> str:
    """The one text of a call that is no conversation: of all the caller's turns, after the instructions.

    Args:
        call: Whose.
        framed: Whether the text of ROLE_SYSTEM turns comes first.
        follows: Whether turns of the model are taken, whose outputs this one changes: then the last turn has the text.

    Raises:
        InvalidRequestError: There are turns of the model or of tools.
    """
    texts: list[str] = []
    for field, turn, part in numbered(call.turns):
        if turn.role == Role.ROLE_ASSISTANT and follows:
            texts.clear()
        elif turn.role not in USER and turn.role != Role.ROLE_SYSTEM:
            raise InvalidRequestError.at(field, "this model takes one input and no conversation")
        if turn.role in USER and not part.name and (text := text_in(part)):
            texts.append(text)
    prompt = "\n".join(texts)
    return f"{call.system}\n\n{prompt}".strip() if framed and call.system else prompt


def items_of(call: Call) -> list[tuple[str, Turn]]:
    """The items of a call that judges or embeds several: each turn of the caller is one, with its path.

    Raises:
        InvalidRequestError: There are none, or turns of others.
    """
    for number, turn in enumerate(call.turns):
        if turn.role not in USER:
            raise InvalidRequestError.at(f"turns[{number}]", "this model takes the caller's own turns only")
    if not call.turns:
        raise InvalidRequestError.at("turns", "there is nothing to work on")
    return [(f"turns[{number}]", turn) for number, turn in enumerate(call.turns)]


def text_items(call: Call) -> list[str]:
    """The texts of a call's items. Raises `InvalidRequestError` for other content."""
    return [text_only(turn.parts, where) for where, turn in items_of(call)]


def text_in(part: Part) -> str:
    """The text a part holds, also as bytes of "text/*"; empty when it holds none."""
    if part.HasField("data") and media_type_of(part).startswith("text/"):
        return part.data.decode("utf-8", "replace")
    return part.text


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
