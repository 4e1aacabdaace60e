"""Text: chats, and completions of models that only go on with a text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import TextOptions, Tool
from mediaconduit_provider import Call, InvalidRequestError, Notice, Part, Turn, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import media_type_of, prompt_of
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.openai.messages import Messages
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS
from mediaconduit_vendors.options import Schema, without

_STRING: Final[Schema] = {"type": "string"}
SAMPLING: Final[Mapping[str, Schema]] = {
    **without(
        CHAT,
        "text.json_schema",
        "text.tools",
        "text.tool_choice",
        "text.allowed_tools",
        "text.parallel_tool_calls",
        "text.reasoning_effort",
    ),
    "text.top_k": {"type": "integer", "minimum": 1},
    "extra.min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "extra.repetition_penalty": {"type": "number", "exclusiveMinimum": 0},
    "extra.logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
    "extra.safety_model": _STRING,
}
"""What chats and completions take."""
TOGETHER_CHAT: Final[Mapping[str, Schema]] = {
    **SAMPLING,
    **{path: CHAT[path] for path in ("text.json_schema", "text.tools", "text.tool_choice", "text.allowed_tools")},
    "text.reasoning_effort": {"enum": ["none", "low", "medium", "high"]},
    "extra.context_length_exceeded_behavior": {"enum": ["truncate", "error"]},
    "extra.chat_template_kwargs": {"type": "object"},
    "extra.compliance": {"const": "hipaa"},
    "extra.reasoning.enabled": {"type": "boolean"},
}
"""What a chat takes, by path in TransformOptions."""


class TogetherMessages(Messages):
    """Messages with videos and any audio; tool calls are numbered."""

    async def turn(self, turn: Turn, number: int) -> AsyncIterator[dict[str, Any]]:
        """A turn as messages."""
        async for message in super().turn(turn, number):
            for index, call in enumerate(message.get("tool_calls") or ()):
                call["index"] = index
            yield message

    async def piece(self, part: Part, field: str) -> dict[str, Any]:
        """One piece of content."""
        media_type = media_type_of(part)
        kind = media_type.partition("/")[0]
        if kind == "video" or (kind == "audio" and media_type not in ("audio/wav", "audio/x-wav")):
            return {"type": f"{kind}_url", f"{kind}_url": {"url": await self.inputs.url(part, field)}}
        if media_type == "application/pdf":
            raise InvalidRequestError.at(
                field, "no documents are taken here: send their text, or their pages as images"
            )
        return await super().piece(part, field)

    async def image(self, part: Part, field: str) -> dict[str, Any]:
        """An image; there is no choice of detail."""
        return {"url": await self.inputs.url(part, field)}


class TogetherChat(Chat):
    """``POST /v1/chat/completions``."""

    options: ClassVar[Mapping[str, Schema]] = TOGETHER_CHAT
    fields: ClassVar[Mapping[str, str]] = {**CHAT_FIELDS, "text.max_output_tokens": "max_tokens"}
    places: ClassVar[Mapping[str, str]] = {
        "tools": "options.text.tools",
        "tool_choice": "options.text.tool_choice",
        "response_format": "options.text.json_schema",
        "logprobs": "options.text.top_logprobs",
        "prompt": "turns",
    }

    def messages(self, api: Api, call: Call) -> Messages:
        """What writes the messages."""
        return TogetherMessages(call, api.vendor.id)

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body. Usage comes with the last piece unasked."""
        body = await super().request(api, call)
        del body["stream_options"]
        if "top_logprobs" in body:
            body["logprobs"] = body.pop("top_logprobs")
        if body.get("reasoning_effort") == "none":
            del body["reasoning_effort"]
            body["reasoning"] = {"enabled": False}
        return body

    def tool_choice(self, text: TextOptions) -> Any:
        """Whether tools are called. A single allowed one is the only one sent, so it need not be named."""
        choice = super().tool_choice(text)
        return choice if isinstance(choice, str) else self.required_choice

    def tool(self, tool: Tool, where: str) -> dict[str, Any]:
        """One tool."""
        if tool.strict:
            raise InvalidRequestError.at(f"{where}.strict", "Together does not promise that calls fit the schema")
        made = super().tool(tool, where)
        made["function"].pop("strict", None)
        return made

    def read(self, chunk: Mapping[str, Any], answer: Answer, call: Call) -> Iterator[Yielded]:
        """What a chunk says."""
        for warning in chunk.get("warnings") or ():
            if message := (warning or {}).get("message"):
                yield Notice(code="VENDOR_WARNING", message=str(message))
        yield from super().read(chunk, answer, call)

    def usage(self, usage: Mapping[str, Any], call: Call, chunk: Mapping[str, Any]) -> Usage:
        """Tokens; those from a cache are told beside the others."""
        if (cached := usage.get("cached_tokens")) and not usage.get("prompt_tokens_details"):
            usage = {**usage, "prompt_tokens_details": {"cached_tokens": cached}}
        return super().usage(usage, call, chunk)

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta of one candidate adds."""
        if choice.get("logprobs") is not None:
            choice = {**choice, "logprobs": {"content": likely(choice, delta.get("content") or "")}}
        yield from super().delta(delta, choice, answer, index)


class Completions(TogetherChat):
    """``POST /v1/completions``: goes on with the caller's text."""

    path: ClassVar[str] = "/completions"
    options: ClassVar[Mapping[str, Schema]] = SAMPLING

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body."""
        body = {"model": self.model_name(call), "prompt": prompt_of(call), "stream": True, **self.passed_on(call)}
        if not body["prompt"]:
            raise InvalidRequestError.at("turns", "there is no text to go on with")
        if call.options.text.HasField("top_logprobs"):
            body["logprobs"] = call.options.text.top_logprobs
        return body

    def read(self, chunk: Mapping[str, Any], answer: Answer, call: Call) -> Iterator[Yielded]:
        """What a chunk says: text is in the choice itself or in its delta, the end in the choice or in the chunk."""
        choices = [
            {
                **choice,
                "delta": {"content": choice.get("text") or (choice.get("delta") or {}).get("content")},
                "finish_reason": choice.get("finish_reason") or chunk.get("finish_reason"),
            }
            for choice in filter(None, chunk.get("choices") or ())
        ]
        yield from super().read({**chunk, "choices": choices}, answer, call)


def likely(choice: Mapping[str, Any], text: str) -> Sequence[Mapping[str, Any]]:
    """Log probabilities as OpenAI writes them. Together writes one number for a piece, or lists for a whole answer."""
    stated = choice["logprobs"]
    if isinstance(stated, int | float):
        return [{"token": text, "logprob": stated, "top_logprobs": _others(choice.get("top_logprobs"))}]
    if not isinstance(stated, Mapping):
        return ()
    if stated.get("content"):
        return list(stated["content"])
    others = stated.get("top_logprobs")
    several = others if isinstance(others, list) else [others]
    return [
        {"token": token, "logprob": logprob, "top_logprobs": _others(several[at] if at < len(several) else None)}
        for at, (token, logprob) in enumerate(
            zip(stated.get("tokens") or (), stated.get("token_logprobs") or (), strict=False)
        )
    ]


def _others(likely: Any) -> list[dict[str, Any]]:
    return (
        [{"token": token, "logprob": value} for token, value in likely.items()] if isinstance(likely, Mapping) else []
    )
