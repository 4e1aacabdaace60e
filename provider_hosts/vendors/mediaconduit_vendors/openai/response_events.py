"""Events of OpenAI's responses API as what `transform` yields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mediaconduit.errors import MediaConduitError
from mediaconduit_provider import (
    Call,
    Facts,
    Finish,
    FinishReason,
    Output,
    OutputKind,
    Part,
    Progress,
    ToolCall,
    ToolResult,
    Usage,
)
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.content import state_from
from mediaconduit_vendors.openai.citations import citation_of
from mediaconduit_vendors.openai.images import decoded_image
from mediaconduit_vendors.openai.logprobs import token_logprobs
from mediaconduit_vendors.openai.response_items import call_state, message_state, whole_state
from mediaconduit_vendors.usage import estimated_usage, usage_of

Event = Mapping[str, Any]
_INCOMPLETE: Final[Mapping[str, FinishReason.ValueType]] = {
    "max_output_tokens": FinishReason.FINISH_REASON_LENGTH,
    "max_tokens": FinishReason.FINISH_REASON_LENGTH,
    "content_filter": FinishReason.FINISH_REASON_CONTENT_FILTER,
}
_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
"""Items that the caller has to answer."""
_ANSWERS: Final = ("outputs", "results", "output")
"""Where the items of hosted tools have their answers."""


class Reading:
    """What an answer says, event by event.

    Args:
        call: Who asked.
        vendor: Short name of the vendor, for its state.
        failed: Makes the error that an event states.
    """

    def __init__(self, call: Call, vendor: str, failed: Callable[[Any], MediaConduitError]) -> None:
        self._call = call
        self._vendor = vendor
        self._failed = failed
        self._media_type = "application/json" if call.options.text.json_schema else "text/plain"
        self._outputs: dict[tuple[int, int], Output] = {}
        """Open ones, by the numbers of item and content."""
        self._texts: dict[tuple[int, int], list[str]] = {}
        self._written = 0
        self._refused = self._asked = False
        self._searches = 0
        self.usage: Usage | None = None
        self.finish: Finish | None = None
        """Why it ended; None until it has."""
        call.meter(self.consumed)

    def read(self, event: Event) -> Iterator[Yielded]:
        """What an event says; those not known here say nothing."""
        kind = event.get("type")
        if handler := _HANDLERS.get(kind or ""):
            yield from handler(self, event)
        elif kind is None and event.get("object") == "response":
            yield from self._whole(event)
        elif kind == "error" or event.get("error"):
            raise self._failed(event)
        elif stage := _stage_of(kind or ""):
            yield Progress(stage=stage)

    def end(self) -> Iterator[Yielded]:
        """What is only known when all has come."""
        if self.usage is not None:
            yield self.usage
        if self.finish is not None:
            yield self.finish

    def consumed(self) -> Usage:
        """What the call has consumed so far."""
        if self.usage is not None:
            return self.usage
        read = sum(len(part.text) for turn in self._call.turns for part in turn.parts)
        return estimated_usage(read, self._written, self._call.model.pricing)

    # -- text ---------------------------------------------------------------------------------------------------------

    def text(self, event: Event) -> Iterator[Yielded]:
        """More text of a message."""
        delta = event.get("delta") or ""
        self._written += len(delta)
        place = (event.get("output_index") or 0, event.get("content_index") or 0)
        output = self._outputs.get(place)
        if output is None:
            output = self._outputs[place] = Output(self._media_type)
            self._texts[place] = []
        self._texts[place].append(delta)
        logprobs = event.get("logprobs")
        yield output.text(delta, token_logprobs(logprobs) if logprobs else ())

    def refusal(self, event: Event) -> Iterator[Yielded]:
        """The model declines."""
        self._refused = True
        yield from self.text(event)

    def annotation(self, event: Event) -> Iterator[Yielded]:
        """A source of a text."""
        place = (event.get("output_index") or 0, event.get("content_index") or 0)
        output = self._outputs.get(place)
        if output is not None and (found := citation_of(event.get("annotation") or {}, "".join(self._texts[place]))):
            yield output.cite(found)

    def thought(self, event: Event) -> Iterator[Yielded]:
        """More reasoning, or its summary."""
        delta = event.get("delta") or ""
        self._written += len(delta)
        yield self._thoughts(event).text(delta)

    def next_thought(self, event: Event) -> Iterator[Yielded]:
        """Another part of a summary: a paragraph."""
        if event.get("summary_index"):
            yield self._thoughts(event).text("\n\n")

    def _thoughts(self, event: Event) -> Output:
        place = (event.get("output_index") or 0, 0)
        if place not in self._outputs:
            self._outputs[place] = Output("", kind=OutputKind.OUTPUT_KIND_REASONING)
        return self._outputs[place]

    # -- tools --------------------------------------------------------------------------------------------------------

    def arguments(self, event: Event) -> Iterator[Yielded]:
        """More arguments of a call."""
        delta = event.get("delta") or ""
        self._written += len(delta)
        if output := self._outputs.get((event.get("output_index") or 0, 0)):
            yield output.text(delta)

    def early_image(self, event: Event) -> Iterator[Yielded]:
        """An early look at an image that a hosted tool makes."""
        place = (event.get("output_index") or 0, 0)
        media_type = f"image/{event.get('output_format') or 'png'}"
        image = self._outputs.get(place)
        if image is None:
            image = self._outputs[place] = Output(media_type)
            yield image
        preview = Output(media_type, preview_of=image)
        yield preview.data(decoded_image(event.get("partial_image_b64") or ""))
        yield preview.done()

    # -- items --------------------------------------------------------------------------------------------------------

    def begin(self, event: Event) -> Iterator[Yielded]:
        """An item begins: a call says which tool it is for."""
        item = event.get("item") or {}
        if item.get("type") in _CALLS:
            number = event.get("output_index") or 0
            call = ToolCall(id=item.get("call_id") or item.get("id") or f"call_{number}", name=item.get("name") or "")
            output = self._outputs[number, 0] = Output("", tool_call=call)
            yield output

    def item(self, event: Event) -> Iterator[Yielded]:
        """An item is whole: what its deltas did not say, and what has to come back with it."""
        number, item = event.get("output_index") or 0, dict(event.get("item") or {})
        kind = item.get("type") or ""
        if kind == "message":
            yield from self._message(number, item)
        elif kind == "reasoning":
            yield from self._reasoning(number, item)
        elif kind in _CALLS:
            self._asked = True
            yield from self._tool_call(number, item)
        elif kind == "image_generation_call":
            yield from self._image(number, item)
        elif kind:
            yield from self._hosted(kind, item)

    def _message(self, number: int, item: dict[str, Any]) -> Iterator[Yielded]:
        state = state_from(message_state(item), self._vendor)
        for index, content in enumerate(content or {} for content in item.get("content") or ()):
            said = content.get("text") or content.get("refusal") or ""
            self._refused |= content.get("type") == "refusal"
            if (number, index) not in self._outputs:
                if not said:
                    continue
                yield from self.text({"delta": said, "output_index": number, "content_index": index})
                for annotation in content.get("annotations") or ():
                    if found := citation_of(annotation, said):
                        yield self._outputs[number, index].cite(found)
            output = self._outputs.pop((number, index))
            yield output.state(state)
            yield output.done()

    def _reasoning(self, number: int, item: dict[str, Any]) -> Iterator[Yielded]:
        if (number, 0) not in self._outputs:
            parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
            text = "\n\n".join(part.get("text") or "" for part in parts)
            if text:
                yield from self.thought({"delta": text, "output_index": number})
        output = self._thoughts({"output_index": number})
        del self._outputs[number, 0]
        item.setdefault("summary", [])
        yield output.state(state_from(whole_state(item), self._vendor))
        yield output.done()

    def _tool_call(self, number: int, item: dict[str, Any]) -> Iterator[Yielded]:
        if (number, 0) not in self._outputs:
            yield from self.begin({"item": item, "output_index": number})
            yield self._outputs[number, 0].text(item.get("arguments") or item.get("input") or "")
        output = self._outputs.pop((number, 0))
        if state := call_state(item):
            yield output.state(state_from(state, self._vendor))
        yield output.done()

    def _image(self, number: int, item: dict[str, Any]) -> Iterator[Yielded]:
        image = self._outputs.pop((number, 0), None)
        if not item.get("result"):
            return
        image = image or Output(f"image/{item.get('output_format') or 'png'}")
        yield image.data(decoded_image(item["result"]))
        yield image.state(state_from({"type": item["type"], "id": item.get("id") or ""}, self._vendor))
        yield image.done()

    def _hosted(self, kind: str, item: dict[str, Any]) -> Iterator[Yielded]:
        """A call that the vendor made itself, with its answer."""
        self._searches += kind == "web_search_call"
        call_id, name = item.get("id") or kind, kind.removesuffix("_call")
        hidden = {"id", "type", "status", *_ANSWERS}
        asked = {key: value for key, value in item.items() if key not in hidden and value is not None}
        call = ToolCall(id=call_id, name=name, arguments=json.dumps(asked, ensure_ascii=False), hosted=True)
        yield Part(tool_call=call, vendor_state=state_from(whole_state(item), self._vendor))
        answer = next((item[key] for key in _ANSWERS if item.get(key)), None)
        if answer is not None:
            text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
            media_type = "text/plain" if isinstance(answer, str) else "application/json"
            failed = item.get("status") == "failed" or bool(item.get("error"))
            result = ToolResult(call_id=call_id, parts=[Part(text=text, media_type=media_type)], is_error=failed)
            yield Part(tool_result=result)

    # -- begin and end ------------------------------------------------------------------------------------------------

    def created(self, event: Event) -> Iterator[Yielded]:
        """Who answers."""
        response = event.get("response") or {}
        yield Facts(vendor_model=response.get("model") or "", vendor_response_id=response.get("id") or "")

    def completed(self, event: Event) -> Iterator[Yielded]:
        """All has come."""
        response = event.get("response") or {}
        status = response.get("status") or "completed"
        why = (response.get("incomplete_details") or {}).get("reason") or ""
        if status == "incomplete":
            reason = _INCOMPLETE.get(why, FinishReason.FINISH_REASON_UNSPECIFIED)
        elif self._refused:
            reason = FinishReason.FINISH_REASON_REFUSED
        else:
            reason = FinishReason.FINISH_REASON_TOOL_CALLS if self._asked else FinishReason.FINISH_REASON_STOP
        self.finish = Finish(reason=reason, vendor_reason=why or status)
        if usage := response.get("usage"):
            self.usage = self._used(usage, response)
        yield from ()

    def failed(self, event: Event) -> Iterator[Yielded]:
        """The vendor could not go on."""
        response = event.get("response") or {}
        raise self._failed({"error": response.get("error") or {"message": "the answer failed", "type": "server_error"}})
        yield  # so that this is a generator, as the others are

    def _whole(self, response: Event) -> Iterator[Yielded]:
        """An answer that was not streamed."""
        if response.get("status") == "failed":
            yield from self.failed({"response": response})
        yield from self.created({"response": response})
        for number, item in enumerate(response.get("output") or ()):
            yield from self.item({"output_index": number, "item": item})
        yield from self.completed({"response": response})

    def _used(self, usage: Event, response: Event) -> Usage:
        facts = {"service_tier": tier} if (tier := response.get("service_tier")) else {}
        units = response_tokens(usage) | {"search": self._searches}
        return usage_of(units, self._call.model.pricing, charged=_charged(usage), facts=facts)


def response_tokens(usage: Event) -> dict[str, int]:
    """Counts of tokens by unit; totals include what they detail."""
    read, written = usage.get("input_tokens") or 0, usage.get("output_tokens") or 0
    details = usage.get("input_tokens_details") or {}
    cached, stored = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    thought = (usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input-token": max(0, read - cached - stored),
        "cached-input-token": cached,
        "cache-write-token": stored,
        "output-token": max(0, written - thought),
        "reasoning-token": thought,
    }


def _charged(usage: Event) -> float | None:
    """US dollars, where the vendor says them."""
    cost = usage.get("cost")
    return float(cost) if isinstance(cost, int | float) else None


def _stage_of(kind: str) -> str:
    """What a hosted tool is doing ("web_search"), or that the answer waits; empty for other events."""
    name, _, stage = kind.removeprefix("response.").rpartition(".")
    if kind == "response.queued":
        return "queued"
    return name.removesuffix("_call") if name.endswith("_call") and stage in ("in_progress", "searching") else ""


_HANDLERS: Final[Mapping[str, Callable[[Reading, Event], Iterator[Yielded]]]] = {
    "response.output_text.delta": Reading.text,
    "response.refusal.delta": Reading.refusal,
    "response.output_text.annotation.added": Reading.annotation,
    "response.reasoning_summary_text.delta": Reading.thought,
    "response.reasoning_summary_part.added": Reading.next_thought,
    "response.reasoning_text.delta": Reading.thought,
    "response.function_call_arguments.delta": Reading.arguments,
    "response.custom_tool_call_input.delta": Reading.arguments,
    "response.image_generation_call.partial_image": Reading.early_image,
    "response.output_item.added": Reading.begin,
    "response.output_item.done": Reading.item,
    "response.created": Reading.created,
    "response.completed": Reading.completed,
    "response.incomplete": Reading.completed,
    "response.failed": Reading.failed,
}
