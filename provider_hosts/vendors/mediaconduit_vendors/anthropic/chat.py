"""Messages: ``POST /v1/messages``, streamed, and the count of their tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from mediaconduit_provider import Call, Facts, Finish, FinishReason, InvalidRequestError, Notice, Score, Usage
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.anthropic.abilities import Abilities
from mediaconduit_vendors.anthropic.blocks import Blocks
from mediaconduit_vendors.anthropic.messages import Messages
from mediaconduit_vendors.anthropic.options import FIELDS, PATHS
from mediaconduit_vendors.anthropic.schemas import closed
from mediaconduit_vendors.anthropic.thinking import thinking_of
from mediaconduit_vendors.anthropic.tools import tool_choice, tools_of
from mediaconduit_vendors.anthropic.usage import facts_of, units_of
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import parsed_schema
from mediaconduit_vendors.options import place
from mediaconduit_vendors.reply import lost
from mediaconduit_vendors.usage import estimated_usage, usage_of

PATH: Final = "/v1/messages"
FINISHES: Final[Mapping[str, FinishReason.ValueType]] = {
    "end_turn": FinishReason.FINISH_REASON_STOP,
    "stop_sequence": FinishReason.FINISH_REASON_STOP,
    "max_tokens": FinishReason.FINISH_REASON_LENGTH,
    "model_context_window_exceeded": FinishReason.FINISH_REASON_LENGTH,
    "tool_use": FinishReason.FINISH_REASON_TOOL_CALLS,
    "pause_turn": FinishReason.FINISH_REASON_PAUSED,
    "refusal": FinishReason.FINISH_REASON_REFUSED,
}
"""Why an answer ended, in the vendor's words."""
_DEFAULT_TOKENS: Final = 8192
"""Limit of output where neither caller nor model has one: the vendor wants to be told."""
_ONLY_JSON: Final = "Answer with one JSON object and nothing else: no other text, no code fence."
"""What stands in for a schema: the vendor has no other way to ask for any JSON."""
_UNCOUNTED: Final = (
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "container",
    "inference_geo",
    "metadata",
    "service_tier",
)
"""Members of a message that its count does not take."""


class Chat:
    """Text, reasoning, tool calls and their results as they come; an instance serves all calls to like models.

    Args:
        abilities: Of the models.
    """

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities

    async def __call__(self, api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
        """Answers, or counts where ``extra.count_tokens`` is set."""
        messages = Messages(call, api.vendor.id, citations=call.option("extra.citations"))
        body = await self.request(call, messages)
        if call.option("extra.count_tokens"):
            async for yielded in self._count(api, call, body, messages):
                yield yielded
            return
        answer = _Answer(call, api.vendor.id)
        async with api.open(_request(call, PATH, body, messages)) as reply:
            yield Facts(vendor_request_id=reply.request_id)
            async with aclosing(reply.events()) as events:
                async for _, event in events:
                    if event.get("type") == "error":
                        raise reply.failure(event)
                    for yielded in answer.read(event):
                        yield yielded
        if answer.finish is None:
            raise lost()
        if answer.usage is not None:
            yield answer.usage
        yield answer.finish

    async def _count(
        self, api: Api, call: Call, body: dict[str, Any], messages: Messages
    ) -> AsyncGenerator[Yielded, None]:
        """How many tokens the input has, as JSON. The vendor takes no money for it."""
        counted = {name: value for name, value in body.items() if name not in _UNCOUNTED}
        found, reply = await api.json(_request(call, f"{PATH}/count_tokens", counted, messages))
        yield Facts(vendor_request_id=reply.request_id)
        yield json.dumps({"input_tokens": found["input_tokens"]})
        yield Usage(nano_cost=0, currency="USD")

    async def request(self, call: Call, messages: Messages) -> dict[str, Any]:
        """The body. Raises `InvalidRequestError` for what the vendor cannot take."""
        text = call.options.text
        most = text.max_output_tokens or call.model.max_output_tokens or _DEFAULT_TOKENS
        body: dict[str, Any] = {"model": call.model.id, "messages": await messages.write(), "max_tokens": most}
        body["stream"] = True
        if not body["messages"]:
            raise InvalidRequestError.at("turns", "hold nothing but instructions", hint="add a turn of the user")
        if messages.container:
            body["container"] = messages.container
        for path, name in FIELDS.items():
            if (value := call.option(path)) is not None:
                place(body, name, value)
        thinking, effort = thinking_of(text, self.abilities, most, call.option("extra.thinking.display"))
        if thinking is not None:
            body["thinking"] = thinking
        if effort is not None:
            place(body, "output_config.effort", effort)
        if text.tools:
            body |= {"tools": tools_of(text), "tool_choice": tool_choice(text)}
        if text.json_schema:
            self._ask_for_json(text.json_schema, body, messages)
        if messages.system:
            body["system"] = messages.system
        return body

    def _ask_for_json(self, schema_text: str, body: dict[str, Any], messages: Messages) -> None:
        schema = parsed_schema(schema_text, "options.text.json_schema")
        if schema:
            place(body, "output_config.format", {"type": "json_schema", "schema": closed(schema)})
        else:
            messages.system.append({"type": "text", "text": _ONLY_JSON})


def _request(call: Call, path: str, body: dict[str, Any], messages: Messages) -> Request:
    betas = call.option("extra.betas")
    return Request(
        "POST",
        path,
        json=body,
        params={"beta": "true"} if betas else None,
        headers={"anthropic-beta": ",".join(betas)} if betas else None,
        fields={**PATHS, **messages.paths},
        remaining=call.remaining(),
    )


class _Answer:
    """A message under way."""

    def __init__(self, call: Call, vendor: str) -> None:
        self._call = call
        media_type = "application/json" if call.options.text.json_schema else call.media_type("text/plain")
        self._blocks = Blocks(vendor, media_type)
        self._counted: dict[str, Any] = {}
        """Usage as the vendor last told it."""
        self.usage: Usage | None = None
        self.finish: Finish | None = None
        call.meter(self.consumed)

    def read(self, event: Mapping[str, Any]) -> Iterator[Yielded]:
        """What an event says. Pings and kinds of a later revision say nothing."""
        kind = event.get("type")
        if kind == "content_block_delta":
            return self._blocks.delta(event["index"], event["delta"])
        if kind == "content_block_start":
            return self._blocks.start(event["index"], event["content_block"])
        if kind == "content_block_stop":
            return self._blocks.stop(event["index"])
        if kind == "message_start":
            return self._start(event["message"])
        if kind == "message_delta":
            return self._end(event.get("delta") or {}, event.get("usage") or {})
        if kind == "message":
            return self._whole(event)
        return iter(())

    def _start(self, message: Mapping[str, Any]) -> Iterator[Yielded]:
        self._counted |= message.get("usage") or {}
        yield Facts(vendor_model=message.get("model") or "", vendor_response_id=message.get("id") or "")

    def _whole(self, message: Mapping[str, Any]) -> Iterator[Yielded]:
        """An answer that was not streamed."""
        yield from self._start(message)
        for index, block in enumerate(message.get("content") or ()):
            yield from self._blocks.start(index, block)
            yield from self._blocks.stop(index)
        yield from self._end(message, {})

    def _end(self, delta: Mapping[str, Any], usage: Mapping[str, Any]) -> Iterator[Yielded]:
        """Why it ended, and what it took: counts that are given replace those before."""
        self._counted |= {name: count for name, count in usage.items() if count is not None}
        if container := (delta.get("container") or {}).get("id"):
            yield from self._blocks.ran_in(container)
        reason = delta.get("stop_reason")
        if not reason:
            return
        self.usage = usage_of(units_of(self._counted), self._call.model.pricing, facts=facts_of(self._counted))
        self.finish = Finish(
            reason=FINISHES.get(reason, FinishReason.FINISH_REASON_UNSPECIFIED),
            vendor_reason=reason,
            stop_sequence=delta.get("stop_sequence") or "",
        )
        details = delta.get("stop_details") or {}
        if category := details.get("category"):
            self.finish.safety.append(Score(label=category, flagged=True))
        if explanation := details.get("explanation"):
            yield Notice(code="REFUSED", message=explanation)

    def consumed(self) -> Usage:
        """What a call that is cut has taken: input as the vendor counted it, output from its characters."""
        guessed = estimated_usage(_length(self._call), self._blocks.written)
        if not self._counted:
            return usage_of(dict(guessed.units), self._call.model.pricing, estimated=True)
        counted = units_of(self._counted)
        counted["output-token"] = max(counted["output-token"], guessed.units["output-token"])
        return usage_of(counted, self._call.model.pricing, facts=facts_of(self._counted), estimated=True)


def _length(call: Call) -> int:
    return sum(len(part.text) for turn in call.turns for part in turn.parts)
