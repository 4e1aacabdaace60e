"""Turns as the vendor's contents and system instruction."""

from __future__ import annotations

import json
from typing import Any, Final

from mediaconduit_provider import Call, InvalidRequestError, Part, Role
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import Inputs, media_type_of, state_of
from mediaconduit_vendors.gemini.files import LARGEST_INLINE, Files
from mediaconduit_vendors.gemini.thinking import version_of

_ROLES: Final = {
    Role.ROLE_UNSPECIFIED: "user",
    Role.ROLE_USER: "user",
    Role.ROLE_ASSISTANT: "model",
    Role.ROLE_TOOL: "user",
}
_UNSIGNED: Final = "skip_thought_signature_validator"
"""What the vendor takes for the signature of a call that another vendor's model made."""
_ABOUT_VIDEO: Final = {"start_offset": "startOffset", "end_offset": "endOffset", "fps": "fps"}

Piece = dict[str, Any]


class Contents:
    """Writes a call's turns as contents.

    Args:
        call: Whose turns.
        api: The vendor, whose own state goes back, and who is given large media beforehand.
    """

    def __init__(self, call: Call, api: Api) -> None:
        self._call = call
        self._vendor = api.vendor.id
        self._inputs = Inputs(call)
        self.files = Files(api)
        """What the vendor was given; to be taken back."""
        self._functions: dict[str, Piece] = {}
        """Calls of functions so far by our ids: results name them again."""
        self._foreign: set[str] = set()
        """Calls of tools that another vendor ran."""
        self.system: list[Piece] = []
        """The system instruction, from all ROLE_SYSTEM turns."""
        self.paths: dict[str, str] = {}
        """Paths in the caller's request by the vendor's ("contents[0].parts[1]")."""

    async def write(self) -> list[Piece]:
        """The contents: turns of one side that follow each other become one."""
        contents: list[Piece] = []
        for number, turn in enumerate(self._call.turns):
            role = _ROLES.get(turn.role)
            if role and (not contents or contents[-1]["role"] != role):
                contents.append({"role": role, "parts": []})
            for index, part in enumerate(turn.parts):
                field = f"turns[{number}].parts[{index}]"
                if role is None:
                    self.system.append(await self._instruction(part, field))
                elif (piece := await self.piece(part, field)) is not None:
                    parts = contents[-1]["parts"]
                    self.paths[f"contents[{len(contents) - 1}].parts[{len(parts)}]"] = field
                    parts.append(piece)
        return [content for content in contents if content["parts"]]

    async def _instruction(self, part: Part, field: str) -> Piece:
        if part.WhichOneof("content") != "text":
            raise InvalidRequestError.at(field, "a system instruction must be text here")
        return {"text": part.text}

    async def piece(self, part: Part, field: str) -> Piece | None:
        """A part in the vendor's form; None for one that is not sent back."""
        state = state_of(part, self._vendor)
        match part.WhichOneof("content"):
            case "text":
                piece: Piece | None = {"text": part.text} if part.text or state else None
            case "data" | "asset" | "stream":
                piece = await self._media(part, field)
            case "tool_call":
                return self._call_of(part, field, state)
            case "tool_result":
                return await self._result_of(part, field, state)
            case "reasoning":
                # A summary of thoughts says nothing to the model; what is signed goes back.
                piece = {"text": part.reasoning.text, "thought": True} if state else None
            case _:
                raise InvalidRequestError.at(field, "a conversation does not take this kind of content")
        return piece and {**piece, **(state or {})}

    async def _media(self, part: Part, field: str) -> Piece:
        """Media in place, or by a URL that the vendor fetches."""
        media_type = media_type_of(part)
        if not media_type:
            raise InvalidRequestError.at(f"{field}.media_type", "is missing")
        if part.HasField("asset") and part.asset.uri.startswith("https://"):
            piece: Piece = {"fileData": {"fileUri": part.asset.uri, "mimeType": media_type}}
        elif media_type.startswith("text/") or media_type == "application/json":
            return {"text": (await self._inputs.read(part, field)).decode("utf-8", "replace")}
        elif uri := await self._uploaded(part, field, media_type):
            piece = {"fileData": {"fileUri": uri, "mimeType": media_type}}
        else:
            piece = {"inlineData": {"mimeType": media_type, "data": await self._inputs.base64(part, field)}}
        about = struct_to_plain(part.extra)
        if video := {name: about[key] for key, name in _ABOUT_VIDEO.items() if key in about}:
            piece["videoMetadata"] = video
        if level := about.get("media_resolution"):
            piece["mediaResolution"] = {"level": f"MEDIA_RESOLUTION_{str(level).upper()}"}
        return piece

    async def _uploaded(self, part: Part, field: str, media_type: str) -> str:
        """The vendor's URI of a part that is too large for the request; empty for one that is not."""
        found = self._inputs.input(part, field)
        if found is None:
            return ""
        if found.size is None:
            await found.path()  # all of it, not in memory
        size = found.size or 0
        return await self.files.upload(found, size, media_type) if size > LARGEST_INLINE else ""

    def _call_of(self, part: Part, field: str, state: Any) -> Piece | None:
        """A call the model made. What the vendor ran itself goes back as it was; what another vendor ran for another
        model is left out, with its result."""
        call = part.tool_call
        if state is not None and "piece" in state:
            return dict(state["piece"])
        if call.hosted:
            self._foreign.add(call.id)
            return None
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise InvalidRequestError.at(f"{field}.tool_call.arguments", "must be a JSON object for this vendor")
        own = dict(state or {})
        named = {"id": call.id} if state is None else {"id": own.pop("id")} if "id" in own else {}
        self._functions[call.id] = {"name": call.name, **named}
        if state is None and version_of(self._call.model.id) >= (3, 0):
            own["thoughtSignature"] = _UNSIGNED
        return {"functionCall": {"name": call.name, "args": arguments, **named}, **own}

    async def _result_of(self, part: Part, field: str, state: Any) -> Piece | None:
        """What a tool answered."""
        if state is not None and "piece" in state:
            return dict(state["piece"])
        result = part.tool_result
        if result.call_id in self._foreign:
            return None
        function = self._functions.get(result.call_id)
        if function is None:
            raise InvalidRequestError.at(f"{field}.tool_result.call_id", "no call of this id comes before")
        texts = [inner.text for inner in result.parts if inner.HasField("text")]
        answer: Piece = {**function, "response": _response("\n".join(texts), failed=result.is_error)}
        media = []
        for number, inner in enumerate(result.parts):
            if not inner.HasField("text"):
                media.append(await self._media(inner, f"{field}.tool_result.parts[{number}]"))
        if media:
            answer["parts"] = media
        return {"functionResponse": answer}


def _response(text: str, *, failed: bool) -> Piece:
    """A result as the object the vendor wants: what is one stays as it is."""
    if failed:
        return {"error": text}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"result": text}
