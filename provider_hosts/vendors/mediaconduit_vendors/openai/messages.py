"""Turns as the messages of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from mediaconduit_provider import Call, InvalidRequestError, Part, Role, Turn

from mediaconduit_vendors.content import USER, Inputs, media_type_of, state_of, text_only

_ROLES: Final = {
    Role.ROLE_UNSPECIFIED: "user",
    Role.ROLE_SYSTEM: "system",
    Role.ROLE_USER: "user",
    Role.ROLE_ASSISTANT: "assistant",
    Role.ROLE_TOOL: "tool",
}
_AUDIO_FORMATS: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


class Messages:
    """Writes a call's turns as messages. Vendors override how a kind of part is written.

    Args:
        call: Whose turns.
        vendor: Short name of the vendor, whose own state goes back.
    """

    def __init__(self, call: Call, vendor: str) -> None:
        self.call = call
        self.vendor = vendor
        self.inputs = Inputs(call)

    async def write(self) -> list[dict[str, Any]]:
        """All messages. Raises `InvalidRequestError` for parts that this vendor does not take."""
        return [message for number, turn in enumerate(self.call.turns) async for message in self.turn(turn, number)]

    async def turn(self, turn: Turn, number: int) -> AsyncIterator[dict[str, Any]]:
        """A turn as messages: results of tools are one message each."""
        message: dict[str, Any] = {"role": _ROLES[turn.role]}
        if turn.name and turn.role in USER:
            message["name"] = turn.name
        pieces: list[dict[str, Any]] = []
        for index, part in enumerate(turn.parts):
            field = f"turns[{number}].parts[{index}]"
            if turn.role == Role.ROLE_ASSISTANT and self.referred(part, message):
                continue
            match part.WhichOneof("content"):
                case "tool_result":
                    yield self.tool_result(part, field)
                case "tool_call":
                    message.setdefault("tool_calls", []).append(self.tool_call(part))
                case "reasoning":
                    self.reasoning(part, message)
                case "text" | "data" | "asset" | "stream":
                    pieces.append(await self.piece(part, field))
                case "transcript":
                    spoken = "".join(segment.text for segment in part.transcript.segments)
                    pieces.append({"type": "text", "text": spoken})
                case _:
                    raise InvalidRequestError.at(field, "a chat does not take this kind of content")
        if pieces or len(message) > 1:
            yield message | {"content": _joined(pieces, bool(message.get("tool_calls")))}

    async def piece(self, part: Part, field: str) -> dict[str, Any]:
        """One piece of content."""
        media_type = media_type_of(part)
        if part.HasField("text"):
            return {"type": "text", "text": part.text}
        if media_type.startswith("image/"):
            return {"type": "image_url", "image_url": await self.image(part, field)}
        if media_type in _AUDIO_FORMATS:
            audio = {"data": await self.inputs.base64(part, field), "format": _AUDIO_FORMATS[media_type]}
            return {"type": "input_audio", "input_audio": audio}
        if media_type.startswith("text/"):
            return {"type": "text", "text": (await self.inputs.read(part, field)).decode("utf-8", "replace")}
        if media_type == "application/pdf":
            return {"type": "file", "file": {"filename": "input.pdf", "file_data": await self.inputs.url(part, field)}}
        raise InvalidRequestError.at(field, f"{media_type or 'content without a media type'} is not taken here")

    async def image(self, part: Part, field: str) -> dict[str, Any]:
        """An image by reference or in place."""
        image: dict[str, Any] = {"url": await self.inputs.url(part, field)}
        if "detail" in part.extra:
            image["detail"] = part.extra["detail"]
        return image

    def tool_call(self, part: Part) -> dict[str, Any]:
        """A call the model made."""
        call = part.tool_call
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        return {"id": call.id, "type": "function", "function": function}

    def tool_result(self, part: Part, field: str) -> dict[str, Any]:
        """What a tool answered."""
        content = text_only(part.tool_result.parts, f"{field}.tool_result")
        return {"role": "tool", "tool_call_id": part.tool_result.call_id, "content": content}

    def reasoning(self, part: Part, message: dict[str, Any]) -> None:
        """The model's own reasoning; most vendors of this style do not want it back."""

    def referred(self, part: Part, message: dict[str, Any]) -> bool:
        """Whether an output of the model is only referred to, by what is put into the message here."""
        return False

    def own_state(self, part: Part) -> Any:
        """What the vendor gave to be sent back with a part; None when it gave nothing."""
        return state_of(part, self.vendor)


def _joined(pieces: list[dict[str, Any]], calls: bool) -> Any:
    """Plain text where there is only one text: some vendors take nothing else from system and assistant."""
    if not pieces:
        return None if calls else ""
    if all(piece.keys() == {"type", "text"} for piece in pieces):
        return "\n".join(piece["text"] for piece in pieces)
    return pieces
