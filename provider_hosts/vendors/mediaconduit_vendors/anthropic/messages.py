"""Turns as the vendor's messages and system prompt."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from mediaconduit_provider import Call, InvalidRequestError, Part, Role, Turn
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.anthropic.tools import cache_control
from mediaconduit_vendors.content import Inputs, media_type_of, state_of, text_only

_ROLES: Final = {
    Role.ROLE_UNSPECIFIED: "user",
    Role.ROLE_USER: "user",
    Role.ROLE_ASSISTANT: "assistant",
    Role.ROLE_TOOL: "user",
}
_ABOUT_DOCUMENTS: Final = ("title", "context", "citations", "document")
"""Keys of `Part.extra` that make a text a document."""

_HOSTED: Final = "srvtoolu_"
"""What ids of calls begin with that the vendor runs itself."""
_ODD: Final = re.compile(r"[^a-zA-Z0-9_-]")

Block = dict[str, Any]


class Messages:
    """Writes a call's turns as blocks of messages.

    Args:
        call: Whose turns.
        vendor: Short name of the vendor, whose own state goes back.
        citations: Documents are to be cited.
    """

    def __init__(self, call: Call, vendor: str, *, citations: bool = False) -> None:
        self._call = call
        self._vendor = vendor
        self._citations = citations
        self._inputs = Inputs(call)
        self._foreign: set[str] = set()
        """Calls of tools that another vendor ran."""
        self.system: list[Block] = []
        """The system prompt, from all ROLE_SYSTEM turns."""
        self.container = ""
        """In which the vendor ran code for the newest of the answers sent back."""
        self.paths: dict[str, str] = {}
        """Paths in the caller's request by the vendor's ("messages.0.content.1")."""

    async def write(self) -> list[dict[str, Any]]:
        """The messages: turns of one side that follow each other become one."""
        messages: list[dict[str, Any]] = []
        for number, turn in enumerate(self._call.turns):
            if turn.role == Role.ROLE_SYSTEM:
                self._write_system(turn, number)
                continue
            role = _ROLES[turn.role]
            if not messages or messages[-1]["role"] != role:
                messages.append({"role": role, "content": []})
            content = messages[-1]["content"]
            for index, part in enumerate(turn.parts):
                field = f"turns[{number}].parts[{index}]"
                if (block := await self._block(part, turn, field)) is not None:
                    self.paths[f"messages.{len(messages) - 1}.content.{len(content)}"] = field
                    content.append(_marked(block, part))
        return [message for message in messages if message["content"]]

    def _write_system(self, turn: Turn, number: int) -> None:
        for index, part in enumerate(turn.parts):
            field = f"turns[{number}].parts[{index}]"
            if part.WhichOneof("content") != "text":
                raise InvalidRequestError.at(field, "a system prompt must be text here")
            if part.text:
                self.paths[f"system.{len(self.system)}"] = field
                self.system.append(_marked({"type": "text", "text": part.text}, part))

    async def _block(self, part: Part, turn: Turn, field: str) -> Block | None:
        """A part as a block; None for one that says nothing."""
        match part.WhichOneof("content"):
            case "text":
                return self._text(part, turn)
            case "data" | "asset" | "stream":
                return await self._media(part, field)
            case "tool_call":
                return self._tool_call(part, field)
            case "tool_result":
                return await self._tool_result(part, turn, field)
            case "reasoning":
                return self._reasoning(part)
            case _:
                raise InvalidRequestError.at(field, "a conversation does not take this kind of content")

    def _text(self, part: Part, turn: Turn) -> Block | None:
        if not part.text:
            return None
        if turn.role not in (Role.ROLE_ASSISTANT, Role.ROLE_TOOL) and any(
            key in part.extra for key in _ABOUT_DOCUMENTS
        ):
            return self._document({"type": "text", "media_type": "text/plain", "data": part.text}, part)
        block: Block = {"type": "text", "text": part.text}
        if state := self._state(part):
            block["citations"] = state
        return block

    async def _media(self, part: Part, field: str) -> Block:
        """An image or a document."""
        media_type = media_type_of(part)
        url = part.asset.uri if part.HasField("asset") and part.asset.uri.startswith("https://") else ""
        if media_type.startswith("image/"):
            return {"type": "image", "source": await self._source(part, field, media_type, url)}
        if media_type == "application/pdf":
            return self._document(await self._source(part, field, media_type, url), part)
        if media_type.startswith("text/") or media_type == "application/json":
            text = (await self._inputs.read(part, field)).decode("utf-8", "replace")
            return self._document({"type": "text", "media_type": "text/plain", "data": text}, part)
        raise InvalidRequestError.at(field, f"{media_type or 'content without a media type'} is not taken here")

    async def _source(self, part: Part, field: str, media_type: str, url: str) -> Block:
        if url:
            return {"type": "url", "url": url}
        return {"type": "base64", "media_type": media_type, "data": await self._inputs.base64(part, field)}

    def _document(self, source: Block, part: Part) -> Block:
        about = struct_to_plain(part.extra)
        block: Block = {"type": "document", "source": source}
        block |= {key: about[key] for key in ("title", "context") if about.get(key)}
        if (cited := about.get("citations", self._citations)) is not None:
            block["citations"] = {"enabled": bool(cited)}
        return block

    def _tool_call(self, part: Part, field: str) -> Block | None:
        """A call the model made, of the caller's tool or of one that the vendor ran.

        What another vendor ran for another model is left out, with its result: this vendor would look for it.
        """
        call, state = part.tool_call, self._state(part) or {}
        if call.hosted and not call.id.startswith(_HOSTED):
            self._foreign.add(call.id)
            return None
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise InvalidRequestError.at(f"{field}.tool_call.arguments", "must be a JSON object for this vendor")
        self.container = state.pop("container", "") or self.container
        kind = "server_tool_use" if call.hosted else "tool_use"
        return {"type": kind, "id": _id(call.id), "name": call.name, "input": arguments, **state}

    async def _tool_result(self, part: Part, turn: Turn, field: str) -> Block | None:
        """What a tool answered; of a tool that the vendor ran, the very block it gave."""
        if (own := self._state(part)) is not None:
            return dict(own)
        result = part.tool_result
        if result.call_id in self._foreign:
            return None
        content = []
        for number, inner in enumerate(result.parts):
            content.append(await self._block(inner, turn, f"{field}.tool_result.parts[{number}]"))
        block: Block = {"type": "tool_result", "tool_use_id": _id(result.call_id)}
        if all(each is None or each.keys() == {"type", "text"} for each in content):
            block["content"] = text_only(result.parts, f"{field}.tool_result")
        else:
            block["content"] = [each for each in content if each is not None]
        if result.is_error:
            block["is_error"] = True
        return block

    def _reasoning(self, part: Part) -> Block | None:
        """The model's own reasoning, which only counts with its proof: without one it is left out."""
        state = self._state(part)
        if state is None:
            return None
        if part.reasoning.redacted:
            return {"type": "redacted_thinking", **state}
        return {"type": "thinking", "thinking": part.reasoning.text, **state}

    def _state(self, part: Part) -> Any:
        return state_of(part, self._vendor)


def _id(given: str) -> str:
    """An id of a call as the vendor takes it: other vendors have other characters in theirs."""
    return _ODD.sub("_", given)


def _marked(block: Block, part: Part) -> Block:
    """With the mark that what ends here is worth caching; thinking cannot be marked."""
    if part.HasField("cache_ttl") and block["type"] not in ("thinking", "redacted_thinking"):
        block["cache_control"] = cache_control(part.cache_ttl)
    return block
