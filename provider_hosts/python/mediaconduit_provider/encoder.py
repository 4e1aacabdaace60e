"""Turns what an author yields into events: opens, feeds and completes outputs, and ends the call."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mediaconduit.streams import CHUNK_BYTES, MESSAGE_BYTES, Mailbox
from mediaconduit.v1.events_pb2 import (
    Checkpoint,
    Finish,
    FinishReason,
    Notice,
    OutputKind,
    Progress,
    Provenance,
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

from mediaconduit_provider.media_types import is_text
from mediaconduit_provider.outputs import Delta, Facts, File, Output
from mediaconduit_provider.packing import Item, Target, split_surrogates

OVERHEAD: Final = 128
"""Weight of an item beside its content: 64 KiB in flight are at most 512 items."""

_TEXT, _DATA = OutputKind.OUTPUT_KIND_TEXT, OutputKind.OUTPUT_KIND_DATA
_REASONING, _TRANSCRIPT = OutputKind.OUTPUT_KIND_REASONING, OutputKind.OUTPUT_KIND_TRANSCRIPT
_WORDS: Final = frozenset({_TEXT, _REASONING, OutputKind.OUTPUT_KIND_TOOL_CALL, OutputKind.OUTPUT_KIND_TOOL_RESULT})
"""Kinds that follow each other in a turn: plain text after reasoning is a new output."""
_EVENT_LIMIT: Final = MESSAGE_BYTES - 64 * 1024


class _Open:
    """An output that has begun."""

    __slots__ = ("hasher", "implicit", "index", "kind", "part", "size")

    def __init__(self, index: int, kind: OutputKind.ValueType, *, implicit: bool) -> None:
        self.index = index
        self.kind = kind
        self.implicit = implicit
        self.hasher = hashlib.sha256() if kind == _DATA else None
        self.size = 0
        self.part: Part | None = None


class Encoder:
    """The events of one call, into its mailbox.

    `text` and `data` are for plain ``str`` and ``bytes``, the hot ones; `other` takes everything an author may yield.
    All say (or `other` returns) whether the mailbox is full.
    """

    def __init__(self, mailbox: Mailbox[Item], media_type: Callable[[OutputKind.ValueType], str]) -> None:
        self._mailbox = mailbox
        self._put = mailbox.put
        self._media_type = media_type
        self._open: dict[int, _Open] = {}
        self._explicit: dict[int, Output] = {}
        self._next = 0
        self._target = -1
        self._text: _Open | None = None
        self._data: _Open | None = None
        self._words: _Open | None = None
        self._transcript: _Open | None = None
        self._last: _Open | None = None
        self.facts = Provenance()
        self.usage: Usage | None = None
        self.finishes: list[Finish] = []
        self.on_first_output: Callable[[], None] | None = None

    # -- plain text and data ------------------------------------------------------------------------------------------

    def text(self, text: str) -> bool:
        """More of the current text output. At most `CHUNK_BYTES` characters."""
        output = self._text
        if output is None:
            output = self._text = self._begin_implicit(_TEXT)
        if output.index != self._target:
            self._aim(output)
        return self._put(text, len(text) + OVERHEAD)

    def data(self, data: bytes) -> bool:
        """More of the current data output. At most `CHUNK_BYTES`."""
        output = self._data
        if output is None:
            output = self._data = self._begin_implicit(_DATA)
        return self._feed_data(output, data)

    async def large(self, item: str | bytes) -> None:
        """Text or data of any size, in pieces, each when there is room."""
        for start in range(0, len(item), CHUNK_BYTES):
            piece = item[start : start + CHUNK_BYTES]
            if self.text(piece) if isinstance(piece, str) else self.data(piece):
                await self._mailbox.room()

    # -- everything else ----------------------------------------------------------------------------------------------

    async def other(self, item: Any) -> bool:
        """Anything an author may yield. Raises `TypeError` for what nobody may."""
        handler = _HANDLERS.get(type(item))
        if handler is not None:
            return bool(await handler(self, item))
        if isinstance(item, str):
            await self.large(str(item))
        elif isinstance(item, bytearray | memoryview):
            await self.large(bytes(item))
        elif isinstance(item, bytes):
            await self.large(item)
        else:
            raise TypeError(
                f"transform yielded {type(item).__name__}; see mediaconduit_provider.outputs for what it may"
            )
        return False

    async def _file(self, file: File) -> bool:
        output = self._begin(_DATA, file.media_type, name=file.name)
        with await asyncio.to_thread(Path(file.path).open, "rb") as source:
            while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                if self._feed_data(output, chunk):
                    await self._mailbox.room()
        self._complete(output, info=file.info)
        return False

    async def _output(self, output: Output) -> bool:
        begun = self._begin_explicit(output)
        if begun.kind == _DATA:
            self._close(self._data)
            self._data = begun
        elif begun.kind == _TRANSCRIPT:
            self._close(self._transcript)
            self._transcript = begun
        else:
            self._close(self._words)
            self._words = begun
            self._text = begun if begun.kind == _TEXT else None
        return False

    async def _delta(self, delta: Delta) -> bool:
        output = self._open.get(delta.output.index) if delta.output.index >= 0 else self._begin_explicit(delta.output)
        if output is None:
            raise ValueError("an output was fed after it was done")
        full = False
        if delta.text is not None:
            full = await self._delta_text(output, delta)
        if delta.data is not None:
            full = await self._delta_data(output, delta.data)
        if delta.segment is not None or delta.citation is not None or delta.vendor_state is not None:
            event = TransformEvent()
            event.output_delta.index = output.index
            _set_message(event, delta.segment, delta.citation, delta.vendor_state)
            full = self._emit(event)
        if delta.done:
            self._complete(output, info=delta.info)
        return full

    async def _delta_text(self, output: _Open, delta: Delta) -> bool:
        text = delta.text or ""
        if delta.logprobs:
            event = TransformEvent()
            event.output_delta.index = output.index
            event.output_delta.text = _well_formed(text)
            event.output_delta.logprobs.extend(delta.logprobs)
            return self._emit(event)
        return await self._feed_text(output, text)

    async def _delta_data(self, output: _Open, data: bytes) -> bool:
        full = False
        for start in range(0, len(data), CHUNK_BYTES):
            if full:
                await self._mailbox.room()
            full = self._feed_data(output, bytes(data[start : start + CHUNK_BYTES]))
        return full

    async def _reasoning(self, reasoning: Reasoning) -> bool:
        output = self._words
        if output is None or output.kind != _REASONING or reasoning.redacted or output.part is not None:
            output = self._begin_implicit(_REASONING)
        if reasoning.redacted:
            output.part = Part(reasoning=reasoning)
        return await self._feed_text(output, reasoning.text) if reasoning.text else False

    async def _tool_call(self, call: ToolCall) -> bool:
        await self._part(Part(tool_call=call))
        return False

    async def _tool_result(self, result: ToolResult) -> bool:
        return await self._part(Part(tool_result=result))

    async def _transcript_whole(self, transcript: Transcript) -> bool:
        return await self._part(Part(transcript=transcript))

    async def _embedding(self, embedding: Embedding) -> bool:
        return await self._part(Part(embedding=embedding))

    async def _scores(self, scores: Scores) -> bool:
        return await self._part(Part(scores=scores))

    async def _segment(self, segment: Segment) -> bool:
        output = self._transcript
        if output is None:
            output = self._transcript = self._begin_implicit(_TRANSCRIPT)
        event = TransformEvent()
        event.output_delta.index = output.index
        event.output_delta.segment.CopyFrom(segment)
        self._last = output
        return self._emit(event)

    async def _part(self, part: Part) -> bool:
        """An output of its own, complete: text and data as deltas, all else within OutputCompleted."""
        content = part.WhichOneof("content")
        kind = _KIND_OF.get(content or "")
        if kind is None:
            raise ValueError("a Part without content, or one that announces a stream, cannot be an output")
        if kind in _WORDS:
            self._close(self._words)
        output = self._begin(kind, part.media_type or _default_media_type(part), name=part.name, part=part)
        if content == "text":
            await self._feed_text(output, part.text)
        elif content == "tool_call":
            await self._feed_text(output, part.tool_call.arguments)
        elif content == "data":
            await self._delta_data(output, part.data)
        else:
            output.part = part
        self._attach(output, part)
        return self._complete(output)

    def _attach(self, output: _Open, part: Part) -> None:
        """Citations and vendor state of a part whose content went as deltas."""
        if output.part is not None:
            return
        for citation in part.citations:
            event = TransformEvent()
            event.output_delta.index = output.index
            event.output_delta.citation.CopyFrom(citation)
            self._emit(event)
        if part.HasField("vendor_state"):
            event = TransformEvent()
            event.output_delta.index = output.index
            event.output_delta.vendor_state.CopyFrom(part.vendor_state)
            self._emit(event)

    async def _to_current(self, item: Citation | VendorState) -> bool:
        if self._last is None or self._last.index not in self._open:
            raise ValueError(f"no output is open to attach a {type(item).__name__} to; yield a Part that carries it")
        event = TransformEvent()
        event.output_delta.index = self._last.index
        if isinstance(item, Citation):
            event.output_delta.citation.CopyFrom(item)
        else:
            event.output_delta.vendor_state.CopyFrom(item)
        return self._emit(event)

    async def _progress(self, progress: Progress) -> bool:
        return self.progress(progress)

    def progress(self, progress: Progress) -> bool:
        """How far."""
        event = TransformEvent()
        event.progress.CopyFrom(progress)
        return self._emit(event)

    async def _notice(self, notice: Notice) -> bool:
        return self.notice(notice)

    def notice(self, notice: Notice) -> bool:
        """Something the caller should know."""
        event = TransformEvent()
        event.notice.CopyFrom(notice)
        return self._emit(event)

    async def _usage(self, usage: Usage) -> bool:
        self.usage = Usage()
        self.usage.CopyFrom(usage)
        event = TransformEvent()
        event.usage.CopyFrom(usage)
        return self._emit(event)

    async def _checkpoint(self, checkpoint: Checkpoint) -> bool:
        event = TransformEvent()
        event.checkpoint.CopyFrom(checkpoint)
        return self._emit(event)

    async def _signal(self, signal: Signal) -> bool:
        event = TransformEvent()
        event.signal.CopyFrom(signal)
        return self._emit(event)

    async def _finish(self, finish: Finish) -> bool:
        self.finishes.append(finish)
        return False

    async def _facts(self, facts: Facts) -> bool:
        for name in ("vendor_model", "vendor_request_id", "vendor_response_id"):
            if value := getattr(facts, name):
                setattr(self.facts, name, value)
        return False

    # -- beginning and end --------------------------------------------------------------------------------------------

    def started(self, generation: str, model: str) -> None:
        """The first event."""
        event = TransformEvent()
        event.started.generation = generation
        event.started.model = model
        self._emit(event)

    def close_outputs(self) -> None:
        """Completes what is still open."""
        for output in list(self._open.values()):
            self._complete(output)
        if not self.finishes:
            self.finishes.append(Finish(reason=FinishReason.FINISH_REASON_STOP))

    def completed(self, provenance: Provenance) -> None:
        """The last event."""
        event = TransformEvent()
        event.completed.finishes.extend(self.finishes)
        if self.usage is not None:
            event.completed.usage.CopyFrom(self.usage)
        event.completed.provenance.CopyFrom(provenance)
        self._emit(event)

    # -- outputs ------------------------------------------------------------------------------------------------------

    def _begin_implicit(self, kind: OutputKind.ValueType) -> _Open:
        media_type = self._media_type(kind) if kind in (_TEXT, _DATA) else ""
        if kind in _WORDS:
            self._close(self._words)
        output = self._begin(kind, media_type, implicit=True)
        if kind in _WORDS:
            self._words = output
        return output

    def _begin_explicit(self, output: Output) -> _Open:
        if output.index >= 0:
            raise ValueError("an Output belongs to one call and begins once")
        begun = self._begin(_kind_of(output), output.media_type, name=output.name, explicit=output)
        output.index = begun.index
        return begun

    def _begin(
        self,
        kind: OutputKind.ValueType,
        media_type: str,
        *,
        name: str = "",
        part: Part | None = None,
        explicit: Output | None = None,
        implicit: bool = False,
    ) -> _Open:
        output = _Open(self._next, kind, implicit=implicit)
        self._next += 1
        self._open[output.index] = output
        self._last = output
        event = TransformEvent()
        started = event.output_started
        started.index, started.kind, started.media_type, started.name = output.index, kind, media_type, name
        if explicit is not None:
            started.candidate, started.role, started.turn = explicit.candidate, explicit.role, explicit.turn
            if explicit.tool_call is not None:
                started.tool_call.CopyFrom(explicit.tool_call)
                started.tool_call.arguments = ""
            if explicit.preview_of is not None:
                started.preview_of = explicit.preview_of.index
        if part is not None and part.HasField("tool_call"):
            started.tool_call.CopyFrom(part.tool_call)
            started.tool_call.arguments = ""
        if part is not None and part.HasField("tool_result"):
            started.call_id = part.tool_result.call_id
        self._emit(event)
        if self.on_first_output is not None:
            self.on_first_output()
            self.on_first_output = None
        return output

    def _aim(self, output: _Open) -> None:
        self._target = output.index
        self._last = output
        self._put(Target(output.index), 0)

    def _feed_data(self, output: _Open, data: bytes) -> bool:
        if output.index != self._target:
            self._aim(output)
        if output.hasher is None:
            raise ValueError("bytes were yielded into an output that holds none")
        output.hasher.update(data)
        output.size += len(data)
        return self._put(data, len(data) + OVERHEAD)

    async def _feed_text(self, output: _Open, text: str) -> bool:
        if output.kind == _DATA:
            return await self._delta_data(output, text.encode())
        full = False
        for start in range(0, len(text), CHUNK_BYTES):
            if full:
                await self._mailbox.room()
            if output.index != self._target:
                self._aim(output)
            piece = text[start : start + CHUNK_BYTES]
            full = self._put(piece, len(piece) + OVERHEAD)
        return full

    def _close(self, output: _Open | None) -> None:
        """Completes an output the host opened itself, because another of its kind follows."""
        if output is not None and output.implicit and output.index in self._open:
            self._complete(output)

    def _complete(self, output: _Open, *, info: MediaInfo | None = None) -> bool:
        del self._open[output.index]
        for lane in ("_text", "_data", "_words", "_transcript"):
            if getattr(self, lane) is output:
                setattr(self, lane, None)
        event = TransformEvent()
        completed = event.output_completed
        completed.index = output.index
        if output.part is not None:
            completed.part.CopyFrom(output.part)
        if output.hasher is not None and (output.part is None or output.size):
            completed.size_bytes = output.size
            completed.sha256 = output.hasher.hexdigest()
        if info is not None:
            completed.info.CopyFrom(info)
        return self._emit(event)

    def _emit(self, event: TransformEvent) -> bool:
        size = event.ByteSize()
        if size > _EVENT_LIMIT:
            raise ValueError(f"what was yielded makes an event of {size} bytes; at most {_EVENT_LIMIT} fit a message")
        return self._put(event, size + OVERHEAD)


def _set_message(
    event: TransformEvent, segment: Segment | None, citation: Citation | None, state: VendorState | None
) -> None:
    if segment is not None:
        event.output_delta.segment.CopyFrom(segment)
    elif citation is not None:
        event.output_delta.citation.CopyFrom(citation)
    elif state is not None:
        event.output_delta.vendor_state.CopyFrom(state)


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        whole, half = split_surrogates(text)
        return whole + ("\ufffd" if half else "")
    return text


def _kind_of(output: Output) -> OutputKind.ValueType:
    if output.kind != OutputKind.OUTPUT_KIND_UNSPECIFIED:
        return output.kind
    if output.tool_call is not None:
        return OutputKind.OUTPUT_KIND_TOOL_CALL
    return _TEXT if is_text(output.media_type) else _DATA


def _default_media_type(part: Part) -> str:
    if part.HasField("text"):
        return "text/plain"
    return part.asset.media_type if part.HasField("asset") else ""


_KIND_OF: Final = {
    "text": _TEXT,
    "data": _DATA,
    "asset": _DATA,
    "tool_call": OutputKind.OUTPUT_KIND_TOOL_CALL,
    "tool_result": OutputKind.OUTPUT_KIND_TOOL_RESULT,
    "reasoning": _REASONING,
    "transcript": _TRANSCRIPT,
    "embedding": OutputKind.OUTPUT_KIND_EMBEDDING,
    "scores": OutputKind.OUTPUT_KIND_SCORES,
}

_HANDLERS: Final[dict[type, Any]] = {
    File: Encoder._file,
    Output: Encoder._output,
    Delta: Encoder._delta,
    Facts: Encoder._facts,
    Part: Encoder._part,
    Reasoning: Encoder._reasoning,
    ToolCall: Encoder._tool_call,
    ToolResult: Encoder._tool_result,
    Transcript: Encoder._transcript_whole,
    Segment: Encoder._segment,
    Embedding: Encoder._embedding,
    Scores: Encoder._scores,
    Citation: Encoder._to_current,
    VendorState: Encoder._to_current,
    Progress: Encoder._progress,
    Notice: Encoder._notice,
    Usage: Encoder._usage,
    Checkpoint: Encoder._checkpoint,
    Signal: Encoder._signal,
    Finish: Encoder._finish,
}
