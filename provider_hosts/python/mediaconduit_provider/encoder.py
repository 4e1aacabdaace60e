"""Turns what an author yields into events: which output it belongs to, and when that one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mediaconduit.streams import CHUNK_BYTES, Mailbox
from mediaconduit.v1.events_pb2 import (
    Checkpoint,
    Finish,
    Notice,
    OutputKind,
    OutputStarted,
    Progress,
    Signal,
    TransformEvent,
    Usage,
)
from mediaconduit.v1.media_pb2 import (
    Citation,
    Embedding,
    MediaInfo,
    Part,
    Reasoning,
    Scores,
    Segment,
    ToolCall,
    ToolResult,
    Transcript,
    VendorState,
)

from mediaconduit_provider.events import OVERHEAD, EventWriter, OpenOutput
from mediaconduit_provider.media_types import is_text
from mediaconduit_provider.outputs import Delta, Facts, File, Output
from mediaconduit_provider.packing import Item, well_formed

_TEXT: Final = OutputKind.OUTPUT_KIND_TEXT
_DATA: Final = OutputKind.OUTPUT_KIND_DATA
_REASONING: Final = OutputKind.OUTPUT_KIND_REASONING
_TRANSCRIPT: Final = OutputKind.OUTPUT_KIND_TRANSCRIPT
_TOOL_CALL: Final = OutputKind.OUTPUT_KIND_TOOL_CALL
_TOOL_RESULT: Final = OutputKind.OUTPUT_KIND_TOOL_RESULT
_WORDS: Final = frozenset({_TEXT, _REASONING, _TOOL_CALL, _TOOL_RESULT})
"""Kinds that follow each other in a turn: plain text after reasoning or a tool call is a new output. Data and
transcripts run beside them."""

MediaTypeFor = Callable[[OutputKind.ValueType], str]


class Encoder(EventWriter):
    """What an author yields, as events.

    `text` and `data` take plain ``str`` and ``bytes`` of at most `CHUNK_BYTES`, the hot ones; `other` takes everything
    in `mediaconduit_provider.outputs`, of any size. All say whether the mailbox is full.
    """

    def __init__(self, mailbox: Mailbox[Item], media_type_for: MediaTypeFor) -> None:
        super().__init__(mailbox)
        self._media_type_for = media_type_for
        self._text: OpenOutput | None = None
        """Where plain text goes."""
        self._data: OpenOutput | None = None
        """Where plain bytes go."""
        self._words: OpenOutput | None = None
        """The last of the kinds that follow each other."""
        self._transcript: OpenOutput | None = None
        """Where segments go."""

    def text(self, text: str) -> bool:
        """More of the current text output."""
        output = self._text
        if output is None:
            output = self._text = self._begin_own(_TEXT)
        if output.index != self._target:
            self._aim(output)
        return self._put(text, len(text) + OVERHEAD)

    def data(self, data: bytes) -> bool:
        """More of the current data output."""
        output = self._data
        if output is None:
            output = self._data = self._begin_own(_DATA)
        return self.feed_data(output, data)

    async def other(self, item: Any) -> bool:
        """Anything an author may yield. Raises `TypeError` for what nobody may."""
        handler = _HANDLERS.get(type(item))
        if handler is not None:
            return bool(await handler(self, item))
        if isinstance(item, str):
            self._text = self._text or self._begin_own(_TEXT)
            return await self.feed_text(self._text, str(item))
        if isinstance(item, bytes | bytearray | memoryview):
            self._data = self._data or self._begin_own(_DATA)
            return await self.feed_all_data(self._data, bytes(item))
        raise TypeError(f"transform yielded {type(item).__name__}; mediaconduit_provider.outputs lists what it may")

    def complete(self, output: OpenOutput, info: MediaInfo | None = None) -> bool:
        """Ends an output; plain content that follows begins a new one."""
        if output is self._text:
            self._text = None
        if output is self._data:
            self._data = None
        if output is self._words:
            self._words = None
        if output is self._transcript:
            self._transcript = None
        return super().complete(output, info)

    # -- outputs the author names -------------------------------------------------------------------------------------

    async def _on_output(self, output: Output) -> bool:
        begun = self._begin_named(output)
        if begun.kind == _DATA:
            self._end_own(self._data)
            self._data = begun
        elif begun.kind == _TRANSCRIPT:
            self._end_own(self._transcript)
            self._transcript = begun
        elif begun.kind in _WORDS:
            self._end_own(self._words)
            self._words = begun
            self._text = begun if begun.kind == _TEXT else None
        return False

    async def _on_delta(self, delta: Delta) -> bool:
        output = self._open.get(delta.output.index) if delta.output.index >= 0 else self._begin_named(delta.output)
        if output is None:
            raise ValueError("an output was fed after it was done")
        full = False
        if delta.text is not None:
            full = await self._delta_text(output, delta.text, delta)
        if delta.data is not None:
            full = await self.feed_all_data(output, delta.data)
        for item in (delta.segment, delta.citation, delta.vendor_state):
            if item is not None:
                full = self.attach(output, item)
        return self.complete(output, delta.info) if delta.done else full

    async def _delta_text(self, output: OpenOutput, text: str, delta: Delta) -> bool:
        if not delta.logprobs:
            return await self.feed_text(output, text)
        event = TransformEvent()
        event.output_delta.index = output.index
        event.output_delta.text = well_formed(text)
        event.output_delta.logprobs.extend(delta.logprobs)
        return self.emit(event)

    def _begin_named(self, output: Output) -> OpenOutput:
        if output.index >= 0:
            raise ValueError("an Output belongs to one call and begins once")
        started = OutputStarted(
            kind=_kind_of(output),
            media_type=output.media_type,
            name=output.name,
            candidate=output.candidate,
            role=output.role,
            turn=output.turn,
        )
        if output.preview_of is not None:
            started.preview_of = output.preview_of.index
        if output.tool_call is not None:
            _describe_call(started, output.tool_call)
        begun = self.begin(started)
        output.index = begun.index
        return begun

    # -- outputs the host begins --------------------------------------------------------------------------------------

    def _begin_own(self, kind: OutputKind.ValueType) -> OpenOutput:
        media_type = self._media_type_for(kind) if kind in (_TEXT, _DATA) else ""
        if kind in _WORDS:
            self._end_own(self._words)
        output = self.begin(OutputStarted(kind=kind, media_type=media_type), implicit=True)
        if kind in _WORDS:
            self._words = output
        return output

    def _end_own(self, output: OpenOutput | None) -> None:
        """Completes an output that the host began, because another of its kind follows."""
        if output is not None and output.implicit and output.index in self._open:
            self.complete(output)

    async def _on_reasoning(self, reasoning: Reasoning) -> bool:
        output = self._words
        if output is None or output.kind != _REASONING or reasoning.redacted or output.part is not None:
            output = self._begin_own(_REASONING)
        if reasoning.redacted:
            output.part = Part(reasoning=reasoning)
            return False
        return await self.feed_text(output, reasoning.text)

    async def _on_segment(self, segment: Segment) -> bool:
        if self._transcript is None:
            self._transcript = self._begin_own(_TRANSCRIPT)
        return self.attach(self._transcript, segment)

    async def _on_attachment(self, item: Citation | VendorState) -> bool:
        if self._last is None or self._last.index not in self._open:
            raise ValueError(f"no output is open to attach a {type(item).__name__} to; yield a Part that carries it")
        return self.attach(self._last, item)

    # -- outputs that are complete at once ----------------------------------------------------------------------------

    async def _on_part(self, part: Part) -> bool:
        """Text and data go as deltas, all else within OutputCompleted."""
        content = part.WhichOneof("content") or ""
        kind = _KIND_OF.get(content)
        if kind is None:
            raise ValueError("a Part without content, or one that announces a stream, cannot be an output")
        if kind in _WORDS:
            self._end_own(self._words)
        started = OutputStarted(kind=kind, media_type=part.media_type or _default_media_type(part), name=part.name)
        if content == "tool_call":
            _describe_call(started, part.tool_call)
        elif content == "tool_result":
            started.call_id = part.tool_result.call_id
        output = self.begin(started)
        if content in ("text", "tool_call"):
            await self.feed_text(output, part.text if content == "text" else part.tool_call.arguments)
        elif content == "data":
            await self.feed_all_data(output, part.data)
        else:
            output.part = part
        self._attach_all(output, part)
        return self.complete(output)

    def _attach_all(self, output: OpenOutput, part: Part) -> None:
        """Citations and vendor state, where the part itself does not travel."""
        if output.part is not None:
            return
        for citation in part.citations:
            self.attach(output, citation)
        if part.HasField("vendor_state"):
            self.attach(output, part.vendor_state)

    async def _on_file(self, file: File) -> bool:
        output = self.begin(OutputStarted(kind=_DATA, media_type=file.media_type, name=file.name))
        with await asyncio.to_thread(Path(file.path).open, "rb") as source:
            while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                if self.feed_data(output, chunk):
                    await self._mailbox.room()
        return self.complete(output, file.info)

    # -- what is passed on --------------------------------------------------------------------------------------------

    async def _on_progress(self, progress: Progress) -> bool:
        return self.progress(progress)

    async def _on_notice(self, notice: Notice) -> bool:
        return self.notice(notice)

    async def _on_usage(self, usage: Usage) -> bool:
        self.usage = Usage()
        self.usage.CopyFrom(usage)
        event = TransformEvent()
        event.usage.CopyFrom(usage)
        return self.emit(event)

    async def _on_checkpoint(self, checkpoint: Checkpoint) -> bool:
        event = TransformEvent()
        event.checkpoint.CopyFrom(checkpoint)
        return self.emit(event)

    async def _on_signal(self, signal: Signal) -> bool:
        event = TransformEvent()
        event.signal.CopyFrom(signal)
        return self.emit(event)

    async def _on_finish(self, finish: Finish) -> bool:
        self.finishes.append(finish)
        return False

    async def _on_facts(self, facts: Facts) -> bool:
        for name in ("vendor_model", "vendor_request_id", "vendor_response_id"):
            if value := getattr(facts, name):
                setattr(self.facts, name, value)
        return False


def _describe_call(started: OutputStarted, call: ToolCall) -> None:
    started.tool_call.CopyFrom(call)
    started.tool_call.arguments = ""


def _kind_of(output: Output) -> OutputKind.ValueType:
    if output.kind != OutputKind.OUTPUT_KIND_UNSPECIFIED:
        return output.kind
    if output.tool_call is not None:
        return _TOOL_CALL
    return _TEXT if is_text(output.media_type) else _DATA


def _default_media_type(part: Part) -> str:
    if part.HasField("text"):
        return "text/plain"
    return part.asset.media_type if part.HasField("asset") else ""


_KIND_OF: Final = {
    "text": _TEXT,
    "data": _DATA,
    "asset": _DATA,
    "tool_call": _TOOL_CALL,
    "tool_result": _TOOL_RESULT,
    "reasoning": _REASONING,
    "transcript": _TRANSCRIPT,
    "embedding": OutputKind.OUTPUT_KIND_EMBEDDING,
    "scores": OutputKind.OUTPUT_KIND_SCORES,
}


async def _whole(encoder: Encoder, item: Any) -> bool:
    """Content that is an output of its own."""
    part = Part()
    getattr(part, _FIELD_OF[type(item)]).CopyFrom(item)
    return await encoder._on_part(part)


_FIELD_OF: Final[dict[type, str]] = {
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Transcript: "transcript",
    Embedding: "embedding",
    Scores: "scores",
}

_HANDLERS: Final[dict[type, Any]] = {
    **dict.fromkeys(_FIELD_OF, _whole),
    Part: Encoder._on_part,
    File: Encoder._on_file,
    Output: Encoder._on_output,
    Delta: Encoder._on_delta,
    Facts: Encoder._on_facts,
    Reasoning: Encoder._on_reasoning,
    Segment: Encoder._on_segment,
    Citation: Encoder._on_attachment,
    VendorState: Encoder._on_attachment,
    Progress: Encoder._on_progress,
    Notice: Encoder._on_notice,
    Usage: Encoder._on_usage,
    Checkpoint: Encoder._on_checkpoint,
    Signal: Encoder._on_signal,
    Finish: Encoder._on_finish,
}
