"""Chat completions, routed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_provider import Asset, Call, Output, OutputKind, Part, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_provider.values import struct_to_plain

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import state_from
from mediaconduit_vendors.openai.chat import Chat, tokens
from mediaconduit_vendors.openai.messages import Messages
from mediaconduit_vendors.openai.options import CHAT_FIELDS, Schema
from mediaconduit_vendors.openai.schemas import JSON_WANTED, lacks_the_word
from mediaconduit_vendors.openrouter.messages import RouterMessages
from mediaconduit_vendors.openrouter.options import CHAT_OPTIONS
from mediaconduit_vendors.openrouter.reasoning import Details
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

_PREFIX: Final = "openrouter:"
"""Of the names of tools that OpenRouter runs itself."""


class RouterAnswer(Answer):
    """An answer whose reasoning has to come back as it was."""

    def __init__(self, call: Call, vendor: str) -> None:
        super().__init__(call)
        self._vendor = vendor
        self._details = Details()
        self._thought: Output | None = None

    def thinks(self, text: str, details: list[Mapping[str, Any]]) -> Iterator[Yielded]:
        """More reasoning: to be read, and to be sent back."""
        readable = self._details.add(details) if details else ""
        text = text or readable
        if self._thought is None:
            self._thought = Output("", kind=OutputKind.OUTPUT_KIND_REASONING)
            yield self._thought
        if text:
            self._written += len(text)
            yield self._thought.text(text)

    def end(self) -> Iterator[Yielded]:
        """What is only known when all has come."""
        if self._thought is not None and self._details.whole:
            yield self._thought.state(state_from(self._details.whole, self._vendor))
        yield from super().end()


class RouterChat(Chat):
    """``POST /chat/completions``; models that draw put their images beside the text."""

    options: ClassVar[Mapping[str, Schema]] = CHAT_OPTIONS
    fields: ClassVar[Mapping[str, str]] = {
        **{path: name for path, name in CHAT_FIELDS.items() if path not in ("candidates", "text.reasoning_effort")},
    }
    places: ClassVar[Mapping[str, str]] = {
        **Chat.places,
        "reasoning": "options.text.reasoning_effort",
        "provider": "options.extra.provider",
    }

    def answer(self, api: Api, call: Call) -> Answer:
        """What gathers the answer."""
        return RouterAnswer(call, api.vendor.id)

    def messages(self, api: Api, call: Call) -> Messages:
        """What writes the messages."""
        return RouterMessages(call, api.vendor.id)

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body. Calls of one conversation go to the same provider, whose cache knows them."""
        body = await super().request(api, call)
        del body["stream_options"]  # usage comes anyway
        if lacks_the_word(call):
            body["messages"].insert(0, {"role": "system", "content": JSON_WANTED})
        if reasoning := self.reasoning(call):
            body["reasoning"] = {**body.get("reasoning", {}), **reasoning}
        if call.affinity_key:
            body.setdefault("session_id", call.affinity_key[:256])
        if call.capability.endswith("-to-image"):
            body["modalities"] = ["image", "text"]
        image = call.options.image
        wanted = {"aspect_ratio": image.aspect_ratio, "image_size": image.resolution}
        if drawn := {name: value for name, value in wanted.items() if value}:
            body["image_config"] = {**body.get("image_config", {}), **drawn}
        return body

    def reasoning(self, call: Call) -> dict[str, Any]:
        """How hard it is to think, and how long."""
        text = call.options.text
        wanted: dict[str, Any] = {"effort": text.reasoning_effort} if text.reasoning_effort else {}
        if text.HasField("max_reasoning_tokens"):
            wanted["max_tokens"] = text.max_reasoning_tokens
        return wanted

    def tool(self, tool: Tool, where: str) -> dict[str, Any]:
        """One tool; those that OpenRouter runs have its settings in ``Tool.extra``."""
        if not tool.hosted_tool:
            return super().tool(tool, where)
        hosted: dict[str, Any] = {"type": _PREFIX + tool.hosted_tool.removeprefix(_PREFIX)}
        if settings := struct_to_plain(tool.extra):
            hosted["parameters"] = settings
        return hosted

    # -- what comes back ----------------------------------------------------------------------------------------------

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta adds."""
        text, details = delta.get("reasoning") or "", delta.get("reasoning_details") or []
        if text or details:
            assert isinstance(answer, RouterAnswer)
            yield from answer.thinks(text, details)
            delta = {name: value for name, value in delta.items() if name != "reasoning"}
        yield from super().delta(delta, choice, answer, index)
        for image in delta.get("images") or ():
            yield from _drawn(((image or {}).get("image_url") or {}).get("url") or "")

    def usage(self, usage: Mapping[str, Any], call: Call, chunk: Mapping[str, Any]) -> Usage:
        """Tokens and searches, at what OpenRouter charged."""
        facts = {"service_tier": tier} if (tier := chunk.get("service_tier")) else None
        return usage_of(units_of(usage), call.model.pricing, charged=usage.get("cost"), facts=facts)


def units_of(usage: Mapping[str, Any]) -> dict[str, int]:
    """Counts by unit; the totals include what is written to caches and what is seen of videos."""
    units = tokens(usage)
    details = usage.get("prompt_tokens_details") or {}
    stored, watched = details.get("cache_write_tokens") or 0, details.get("video_tokens") or 0
    units["input-token"] = max(0, units["input-token"] - stored - watched)
    drawn = (usage.get("completion_tokens_details") or {}).get("image_tokens") or 0
    units["output-token"] = max(0, units["output-token"] - drawn)
    hosted = usage.get("server_tool_use_details") or usage.get("server_tool_use") or {}
    return units | {
        "cache-write-token": stored,
        "input-video-token": watched,
        "output-image-token": drawn,
        "search": hosted.get("web_search_requests") or 0,
    }


def _drawn(url: str) -> Iterator[Yielded]:
    """An image beside the text: in place, or where it is."""
    head, _, data = url.partition(",")
    if not head.startswith("data:"):
        if url:
            yield Part(asset=Asset(uri=url, media_type="image/png"))
        return
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise not_understood("an image is not in base64") from error
    image = Output(head.removeprefix("data:").partition(";")[0] or "image/png")
    yield image.data(content)
    yield image.done()
