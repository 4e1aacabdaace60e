"""Chat completions in Mistral's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from mediaconduit.errors import Reason, UnavailableError
from mediaconduit.v1.options_pb2 import TextOptions, Tool
from mediaconduit_provider import Call, Output, OutputKind, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import parsed_schema, state_from
from mediaconduit_vendors.failures import error_of
from mediaconduit_vendors.mistral.messages import MistralMessages
from mediaconduit_vendors.mistral.vendor import MISTRAL, REASONS, read_failure
from mediaconduit_vendors.openai.chat import Chat, tokens
from mediaconduit_vendors.openai.messages import Messages
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS, Schema
from mediaconduit_vendors.openai.schemas import JSON_WANTED, lacks_the_word
from mediaconduit_vendors.options import without
from mediaconduit_vendors.usage import usage_of

CHAT_OPTIONS: Final[Mapping[str, Schema]] = {
    **without(CHAT, "text.top_logprobs", "text.reasoning_effort"),
    "seed": {"type": "integer", "minimum": 0},
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 1.5},
    "text.stop": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "extra.safe_prompt": {"type": "boolean"},
    "extra.prediction": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"type": {"const": "content"}, "content": {"type": "string"}},
    },
    "extra.metadata": {"type": "object"},
    "extra.prompt_cache_key": {"type": "string"},
    "extra.guardrails": {"type": "array", "items": {"type": "object"}},
}
"""What a chat takes."""
REASONING_OPTIONS: Final[Mapping[str, Schema]] = {
    **CHAT_OPTIONS,
    "text.reasoning_effort": {"enum": ["none", "high"]},
    "extra.prompt_mode": {"enum": ["reasoning"]},
}
"""What a chat with a model that reasons takes."""


class MistralAnswer(Answer):
    """An answer whose reasoning has to come back as it was."""

    def __init__(self, call: Call, vendor: str) -> None:
        super().__init__(call)
        self._vendor = vendor
        self._thoughts_of: dict[int, tuple[Output, list[dict[str, Any]]]] = {}

    def thinks(self, pieces: Any, candidate: int) -> Iterator[Yielded]:
        """More reasoning."""
        known = self._thoughts_of.get(candidate)
        if known is None:
            kind = OutputKind.OUTPUT_KIND_REASONING
            known = self._thoughts_of[candidate] = (Output("", kind=kind, candidate=candidate), [])
            yield known[0]
        output, whole = known
        for piece in [{"type": "text", "text": pieces}] if isinstance(pieces, str) else pieces or ():
            words = piece.get("text") if piece.get("type") == "text" else ""
            if words and whole and whole[-1].get("type") == "text":
                whole[-1]["text"] += words
            elif words or piece.get("type") != "text":
                whole.append(dict(piece))
            if words:
                self._written += len(words)
                yield output.text(words)

    def end(self) -> Iterator[Yielded]:
        """What is only known when all has come."""
        for output, whole in self._thoughts_of.values():
            if whole:
                yield output.state(state_from(whole, self._vendor))
        yield from super().end()


class MistralChat(Chat):
    """``POST /chat/completions``."""

    options: ClassVar[Mapping[str, Schema]] = REASONING_OPTIONS
    fields: ClassVar[Mapping[str, str]] = {
        **CHAT_FIELDS,
        "seed": "random_seed",
        "text.max_output_tokens": "max_tokens",
    }
    required_choice: ClassVar[str] = "any"

    def answer(self, api: Api, call: Call) -> Answer:
        """What gathers the answer."""
        return MistralAnswer(call, api.vendor.id)

    def messages(self, api: Api, call: Call) -> Messages:
        """What writes the messages."""
        return MistralMessages(call, api.vendor.id)

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body; calls of one conversation share a cache."""
        body = await super().request(api, call)
        del body["stream_options"]  # usage comes anyway
        if lacks_the_word(call):
            body["messages"].insert(0, {"role": "system", "content": JSON_WANTED})
        if call.affinity_key and "prompt-caching" in call.model.features:
            body.setdefault("prompt_cache_key", call.affinity_key)
        return body

    def response_format(self, text: TextOptions) -> dict[str, Any]:
        """How the answer must look; every schema is kept to, as it is."""
        schema = parsed_schema(text.json_schema, "options.text.json_schema")
        if not schema:
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}

    def tool(self, tool: Tool, where: str) -> dict[str, Any]:
        """One tool; its arguments must be described."""
        made = super().tool(tool, where)
        made["function"].setdefault("parameters", {"type": "object", "properties": {}})
        return made

    # -- what comes back ----------------------------------------------------------------------------------------------

    def read(self, chunk: Mapping[str, Any], answer: Answer, call: Call) -> Iterator[Yielded]:
        """What a chunk says; an error may come as one, in the form that refusals have."""
        if chunk.get("object") == "error":
            raise error_of(read_failure(chunk), vendor=MISTRAL.name, reasons=REASONS, fields=self._paths)
        if any((choice or {}).get("finish_reason") == "error" for choice in chunk.get("choices") or ()):
            raise UnavailableError(
                "Mistral: the answer ended with an error",
                reason=Reason.VENDOR_UNAVAILABLE,
                hint="send the request again",
                retry_after=1.0,
            )
        yield from super().read(chunk, answer, call)

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta adds: plain text, or a list of pieces with reasoning among them."""
        content = delta.get("content")
        if isinstance(content, str) and not delta.get("tool_calls"):
            if content:
                yield answer.text(content, index)
            return
        if isinstance(content, list):
            assert isinstance(answer, MistralAnswer)
            for piece in content:
                if piece.get("type") == "thinking":
                    yield from answer.thinks(piece.get("thinking"), index)
                elif words := piece.get("text"):
                    yield answer.text(words, index)
            content = None
        calls = [_plain(call) for call in delta.get("tool_calls") or ()]
        yield from super().delta({"content": content, "tool_calls": calls}, choice, answer, index)

    def usage(self, usage: Mapping[str, Any], call: Call, chunk: Mapping[str, Any]) -> Usage:
        """Tokens, and how long was listened to."""
        return usage_of(units_of(usage), call.model.pricing)


def _plain(call: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call whose arguments are text, and whose id is none where there is none."""
    function = dict(call.get("function") or {})
    if isinstance(function.get("arguments"), Mapping):
        function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)
    made_id = call.get("id")
    return {**call, "id": "" if made_id == "null" else made_id, "function": function}


def units_of(usage: Mapping[str, Any]) -> dict[str, int]:
    """Counts by unit. Details have two names, and cached tokens a third."""
    details = usage.get("prompt_tokens_details") or usage.get("prompt_token_details") or {}
    cached = details.get("cached_tokens") or usage.get("num_cached_tokens") or 0
    units = tokens({**usage, "prompt_tokens_details": {"cached_tokens": cached}})
    return units | {"input-audio-millisecond": 1000 * (usage.get("prompt_audio_seconds") or 0)}
