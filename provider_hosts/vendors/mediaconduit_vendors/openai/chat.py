"""Chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import TextOptions, Tool, ToolChoice
from mediaconduit_provider import Call, Facts, FinishReason, InvalidRequestError, Score, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import parsed_schema
from mediaconduit_vendors.openai.citations import citation_of
from mediaconduit_vendors.openai.logprobs import token_logprobs
from mediaconduit_vendors.openai.messages import Messages
from mediaconduit_vendors.openai.operation import Operation, Outputs
from mediaconduit_vendors.openai.options import CHAT, CHAT_FIELDS, Schema
from mediaconduit_vendors.openai.schemas import guaranteed
from mediaconduit_vendors.reply import lost
from mediaconduit_vendors.usage import usage_of

FINISHES: Final[Mapping[str, FinishReason.ValueType]] = {
    "stop": FinishReason.FINISH_REASON_STOP,
    "eos": FinishReason.FINISH_REASON_STOP,
    "end_turn": FinishReason.FINISH_REASON_STOP,
    "length": FinishReason.FINISH_REASON_LENGTH,
    "max_tokens": FinishReason.FINISH_REASON_LENGTH,
    "model_length": FinishReason.FINISH_REASON_LENGTH,
    "tool_calls": FinishReason.FINISH_REASON_TOOL_CALLS,
    "function_call": FinishReason.FINISH_REASON_TOOL_CALLS,
    "content_filter": FinishReason.FINISH_REASON_CONTENT_FILTER,
}
"""Why an answer ended, by the words of the vendors of this style."""

_CHOICES: Final = {
    ToolChoice.TOOL_CHOICE_UNSPECIFIED: "auto",
    ToolChoice.TOOL_CHOICE_NONE: "none",
    ToolChoice.TOOL_CHOICE_REQUIRED: "required",
}


class Chat(Operation):
    """``POST /chat/completions``, streamed. Vendors override what they do differently; an instance serves all calls."""

    path: ClassVar[str] = "/chat/completions"
    options: ClassVar[Mapping[str, Schema]] = CHAT
    fields: ClassVar[Mapping[str, str]] = CHAT_FIELDS
    places: ClassVar[Mapping[str, str]] = {
        "tools": "options.text.tools",
        "tool_choice": "options.text.tool_choice",
        "response_format": "options.text.json_schema",
        "max_tokens": "options.text.max_output_tokens",
        "audio": "options.audio.voice",
    }
    required_choice: ClassVar[str] = "required"
    """The vendor's word for "call a tool"."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """Text, reasoning and tool calls as they come."""
        body = await self.request(api, call)
        answer = self.answer(api, call)
        async with api.open(self.asked(call, json=body)) as reply:
            yield Facts(vendor_request_id=reply.request_id)
            first = True
            async with aclosing(reply.events()) as events:
                async for _, chunk in events:
                    if first and (model := chunk.get("model")):
                        first = False
                        yield Facts(vendor_model=model, vendor_response_id=chunk.get("id") or "")
                    if chunk.get("error"):
                        raise reply.failure(chunk)
                    for yielded in self.read(chunk, answer, call):
                        yield yielded
        if not answer.finished:
            raise lost()
        for yielded in answer.end():
            yield yielded

    # -- what is sent -------------------------------------------------------------------------------------------------

    def answer(self, api: Api, call: Call) -> Answer:
        """What gathers the answer."""
        return Answer(call)

    def messages(self, api: Api, call: Call) -> Messages:
        """What writes the messages."""
        return Messages(call, api.vendor.id)

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        """The body. Raises `InvalidRequestError` for what the vendor cannot take."""
        text = call.options.text
        request: dict[str, Any] = {
            "model": self.model_name(call),
            "messages": await self.messages(api, call).write(),
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.passed_on(call),
        }
        if text.HasField("top_logprobs"):
            request |= {"logprobs": True, "top_logprobs": text.top_logprobs}
        if text.json_schema:
            request["response_format"] = self.response_format(text)
        if text.tools:
            request |= {"tools": list(self.tools(text)), "tool_choice": self.tool_choice(text)}
        return request

    def response_format(self, text: TextOptions) -> dict[str, Any]:
        """How the answer must look: a schema, or any JSON object."""
        schema = parsed_schema(text.json_schema, "options.text.json_schema")
        if not schema:
            return {"type": "json_object"}
        sent, strict = guaranteed(schema)
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": sent, "strict": strict}}

    def tool_choice(self, text: TextOptions) -> Any:
        """Whether tools are called: one that is required and the only one allowed is named."""
        if text.tool_choice == ToolChoice.TOOL_CHOICE_REQUIRED:
            if len(text.allowed_tools) == 1:
                return {"type": "function", "function": {"name": text.allowed_tools[0]}}
            return self.required_choice
        return _CHOICES[text.tool_choice]

    def tools(self, text: TextOptions) -> Iterator[dict[str, Any]]:
        """The tools the model may call now."""
        if unknown := sorted(set(text.allowed_tools) - {tool.name for tool in text.tools}):
            raise InvalidRequestError.at("options.text.allowed_tools", f"no such tool: {', '.join(unknown)}")
        for number, tool in enumerate(text.tools):
            if not text.allowed_tools or tool.name in text.allowed_tools:
                yield self.tool(tool, f"options.text.tools[{number}]")

    def tool(self, tool: Tool, where: str) -> dict[str, Any]:
        """One tool."""
        if tool.hosted_tool:
            raise InvalidRequestError.at(f"{where}.hosted_tool", "this model runs no tools itself")
        function: dict[str, Any] = {"name": tool.name}
        if tool.description:
            function["description"] = tool.description
        if tool.parameters_schema:
            function["parameters"] = parsed_schema(tool.parameters_schema, f"{where}.parameters_schema")
        if tool.HasField("strict"):
            function["strict"] = tool.strict
        return {"type": "function", "function": function}

    # -- what comes back ----------------------------------------------------------------------------------------------

    def read(self, chunk: Mapping[str, Any], answer: Answer, call: Call) -> Iterator[Yielded]:
        """What a chunk says. An answer that was not streamed has messages in place of deltas."""
        for choice in filter(None, chunk.get("choices") or ()):
            delta = choice.get("delta") or choice.get("message")
            index = choice.get("index") or 0
            if delta:
                yield from self.delta(delta, choice, answer, index)
            if reason := choice.get("finish_reason"):
                known = FINISHES.get(reason, FinishReason.FINISH_REASON_UNSPECIFIED)
                answer.finish(known, reason, index, safety=self.safety(choice))
        if usage := chunk.get("usage"):
            answer.usage = self.usage(usage, call, chunk)

    def safety(self, choice: Mapping[str, Any]) -> Sequence[Score]:
        """The vendor's ratings of an answer, where it gives any."""
        return ()

    def delta(
        self, delta: Mapping[str, Any], choice: Mapping[str, Any], answer: Answer, index: int
    ) -> Iterator[Yielded]:
        """What a delta of one candidate adds."""
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            yield answer.reasoning(thought, index)
        if text := delta.get("content"):
            logprobs = choice.get("logprobs")
            yield answer.text(text, index, token_logprobs(logprobs.get("content") or ()) if logprobs else ())
        if refusal := delta.get("refusal"):
            yield answer.text(refusal, index)
        for annotation in filter(None, delta.get("annotations") or ()):
            if not index and answer.said and (citation := citation_of(annotation, answer.said)):
                yield citation
        if calls := delta.get("tool_calls"):
            for number, piece in enumerate(filter(None, calls)):
                function = piece.get("function") or {}
                key = piece.get("index")
                yield from answer.tool_call(
                    number if key is None else key,
                    id=piece.get("id") or "",
                    name=function.get("name") or "",
                    arguments=function.get("arguments") or "",
                    candidate=index,
                )

    def usage(self, usage: Mapping[str, Any], call: Call, chunk: Mapping[str, Any]) -> Usage:
        """Tokens, each counted once; `chunk` is what they came with."""
        facts = {"service_tier": tier} if (tier := chunk.get("service_tier")) else None
        return usage_of(tokens(usage), call.model.pricing, charged=usage.get("cost"), facts=facts)


def tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """Counts of tokens by unit. A vendor's totals include the parts it details; ours do not overlap."""
    read, written = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    read_details = usage.get("prompt_tokens_details") or {}
    written_details = usage.get("completion_tokens_details") or {}
    cached, heard = read_details.get("cached_tokens") or 0, read_details.get("audio_tokens") or 0
    thought, spoken = written_details.get("reasoning_tokens") or 0, written_details.get("audio_tokens") or 0
    return {
        "input-token": max(0, read - cached - heard),
        "cached-input-token": cached,
        "input-audio-token": heard,
        "output-token": max(0, written - thought - spoken),
        "reasoning-token": thought,
        "output-audio-token": spoken,
    }
