"""Turns as the items of OpenAI's responses API."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any, Final

from mediaconduit.content import suffix_of
from mediaconduit_provider import Call, InvalidRequestError, Part, Role, Turn
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.content import Inputs, media_type_of, state_of

_ROLES: Final = {Role.ROLE_SYSTEM: "system", Role.ROLE_UNSPECIFIED: "user", Role.ROLE_USER: "user"}


class Items:
    """Writes a call's turns as items. What the vendor gave comes back as it came, by its own state.

    Args:
        call: Whose turns.
        vendor: Short name of the vendor, whose own state goes back.
    """

    def __init__(self, call: Call, vendor: str) -> None:
        self.call = call
        self.vendor = vendor
        self.inputs = Inputs(call)
        self._custom: set[str] = set()
        """Ids of calls whose arguments are free text."""

    async def write(self) -> list[dict[str, Any]]:
        """All items. Raises `InvalidRequestError` for parts that cannot be sent."""
        return [
            item for number, turn in enumerate(self.call.turns) async for item in self.turn(turn, f"turns[{number}]")
        ]

    async def turn(self, turn: Turn, where: str) -> AsyncIterator[dict[str, Any]]:
        """A turn as items."""
        if turn.role in (Role.ROLE_ASSISTANT, Role.ROLE_TOOL):
            for index, part in enumerate(turn.parts):
                field = f"{where}.parts[{index}]"
                item = await (
                    self.said(part, field) if turn.role == Role.ROLE_ASSISTANT else self.tool_result(part, field)
                )
                if item is not None:
                    yield item
            return
        content = [await self.content(part, f"{where}.parts[{index}]") for index, part in enumerate(turn.parts)]
        if all(piece["type"] == "input_text" for piece in content):
            yield {"role": _ROLES[turn.role], "content": "\n".join(piece["text"] for piece in content)}
        else:
            yield {"role": _ROLES[turn.role], "content": content}

    # -- what the caller says -----------------------------------------------------------------------------------------

    async def content(self, part: Part, field: str) -> dict[str, Any]:
        """One piece of content."""
        media_type = media_type_of(part)
        if part.HasField("text"):
            return {"type": "input_text", "text": part.text}
        if part.WhichOneof("content") not in ("data", "asset", "stream"):
            raise InvalidRequestError.at(field, "this kind of content is not taken here")
        if media_type.startswith("image/"):
            detail = struct_to_plain(part.extra).get("detail", "auto")
            return {"type": "input_image", "image_url": await self.inputs.url(part, field), "detail": detail}
        if media_type.startswith("text/"):
            return {"type": "input_text", "text": (await self.inputs.read(part, field)).decode("utf-8", "replace")}
        if media_type == "application/pdf":
            url = await self.inputs.url(part, field)
            if url.startswith("https://"):
                return {"type": "input_file", "file_url": url}
            return {"type": "input_file", "filename": f"input{suffix_of(media_type)}", "file_data": url}
        raise InvalidRequestError.at(field, f"{media_type or 'content without a media type'} is not taken here")

    async def tool_result(self, part: Part, field: str) -> dict[str, Any]:
        """What a tool of the caller's answered."""
        if not part.HasField("tool_result"):
            raise InvalidRequestError.at(field, "a turn of tools has their results only")
        result = part.tool_result
        pieces = [await self.content(each, f"{field}.tool_result.parts[{n}]") for n, each in enumerate(result.parts)]
        texts = all(piece["type"] == "input_text" for piece in pieces)
        output: Any = "\n".join(piece["text"] for piece in pieces) if texts else pieces
        kind = "custom_tool_call_output" if result.call_id in self._custom else "function_call_output"
        return {"type": kind, "call_id": result.call_id, "output": output}

    # -- what the model said ------------------------------------------------------------------------------------------

    async def said(self, part: Part, field: str) -> dict[str, Any] | None:
        """An output of an earlier answer; None for what its call brings along."""
        state = state_of(part, self.vendor) or {}
        match part.WhichOneof("content"):
            case "text":
                return _message(part.text, state)
            case "tool_call":
                return self._tool_call(part, state)
            case "reasoning":
                return state or None  # reasoning of others means nothing here
            case "tool_result":
                return None
            case "data" if state.get("type") == "image_generation_call":
                return state | {"status": "completed", "result": base64.b64encode(part.data).decode()}
            case _:
                raise InvalidRequestError.at(field, "this vendor does not take this back from its model")

    def _tool_call(self, part: Part, state: dict[str, Any]) -> dict[str, Any] | None:
        call = part.tool_call
        if call.hosted:
            return state or None
        if state.get("type") == "custom_tool_call":
            self._custom.add(call.id)
            return state | {"call_id": call.id, "name": call.name, "input": call.arguments}
        asked = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments or "{}"}
        return state | asked


def _message(text: str, state: dict[str, Any]) -> dict[str, Any]:
    if not state:
        return {"role": "assistant", "content": text}
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "role": "assistant", "status": "completed", **state, "content": [content]}


def message_state(item: dict[str, Any]) -> dict[str, Any]:
    """What has to come back with a message."""
    return {name: item[name] for name in ("id", "phase") if item.get(name)}


def call_state(item: dict[str, Any]) -> dict[str, Any]:
    """What has to come back with a call of a tool that the caller runs."""
    kept = {name: item[name] for name in ("id", "namespace", "caller") if item.get(name)}
    return kept | ({"type": item["type"]} if item["type"] != "function_call" else {})


def whole_state(item: dict[str, Any]) -> dict[str, Any]:
    """An item that comes back as it came."""
    return {name: value for name, value in item.items() if value is not None}
