"""Writes the events of one call into its mailbox: outputs begin, are fed, complete; the call ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from mediaconduit.streams import CHUNK_BYTES, MESSAGE_BYTES, Mailbox
from mediaconduit.v1.events_pb2 import (
    Finish,
    FinishReason,
    Notice,
    OutputKind,
    OutputStarted,
    Progress,
    Provenance,
    TransformEvent,
    Usage,
)
from mediaconduit.v1.media_pb2 import Citation, MediaInfo, Part, Segment, VendorState

from mediaconduit_provider.packing import Item, Target

OVERHEAD: Final = 128
"""Weight of an item beside its content: 64 KiB in flight are at most 512 items."""
_EVENT_LIMIT: Final = MESSAGE_BYTES - 512 * 1024
"""Leaves room for what is joined with it."""


class OpenOutput:
    """An output that has begun and is not complete."""

    __slots__ = ("hasher", "implicit", "index", "kind", "part", "size")

    def __init__(self, index: int, kind: OutputKind.ValueType, *, implicit: bool) -> None:
        self.index = index
        self.kind = kind
        self.implicit = implicit
        """The host began it because plain content came."""
        self.hasher = hashlib.sha256() if kind == OutputKind.OUTPUT_KIND_DATA else None
        self.size = 0
        self.part: Part | None = None
        """What `OutputCompleted` is to carry, for content that is not streamed."""


class EventWriter:
    """The events of one call. Methods that write say whether the mailbox is full."""

    def __init__(self, mailbox: Mailbox[Item]) -> None:
        self._mailbox = mailbox
        self._put = mailbox.put
        self._open: dict[int, OpenOutput] = {}
        self._next = 0
        self._target = -1
        self._last: OpenOutput | None = None
        self.facts = Provenance()
        """What the author knows about how the output came to be."""
        self.usage: Usage | None = None
        """What the call consumed, as last told."""
        self.finishes: list[Finish] = []
        self.on_first_output: Callable[[], None] | None = None
        """Called when the first output begins."""

    # -- the call -----------------------------------------------------------------------------------------------------

    def started(self, generation: str, model: str) -> None:
        """The first event."""
        event = TransformEvent()
        event.started.generation = generation
        event.started.model = model
        self.emit(event)

    def progress(self, progress: Progress) -> bool:
        """How far."""
        event = TransformEvent()
        event.progress.CopyFrom(progress)
        return self.emit(event)

    def notice(self, notice: Notice) -> bool:
        """Something the caller should know."""
        event = TransformEvent()
        event.notice.CopyFrom(notice)
        return self.emit(event)

    def close_outputs(self) -> None:
        """Completes what is still open."""
        for output in list(self._open.values()):
            self.complete(output)
        if not self.finishes:
            self.finishes.append(Finish(reason=FinishReason.FINISH_REASON_STOP))

    def completed(self, provenance: Provenance) -> None:
        """The last event."""
        event = TransformEvent()
        event.completed.finishes.extend(self.finishes)
        if self.usage is not None:
            event.completed.usage.CopyFrom(self.usage)
        event.completed.provenance.CopyFrom(provenance)
        self.emit(event)

    # -- outputs ------------------------------------------------------------------------------------------------------

    def begin(self, started: OutputStarted, *, implicit: bool = False) -> OpenOutput:
        """Begins the output that `started` describes; its index is set here."""
        output = OpenOutput(self._next, started.kind, implicit=implicit)
        self._next += 1
        self._open[output.index] = output
        self._last = output
        started.index = output.index
        event = TransformEvent()
        event.output_started.CopyFrom(started)
        self.emit(event)
        if self.on_first_output is not None:
            self.on_first_output()
            self.on_first_output = None
        return output

    def feed_data(self, output: OpenOutput, data: bytes) -> bool:
        """More bytes, at most `CHUNK_BYTES`."""
        if output.index != self._target:
            self._aim(output)
        if output.hasher is None:
            raise ValueError("bytes were yielded into an output that holds none")
        output.hasher.update(data)
        output.size += len(data)
        return self._put(data, len(data) + OVERHEAD)

    async def feed_all_data(self, output: OpenOutput, data: bytes) -> bool:
        """Bytes of any number, in pieces, each when there is room."""
        full = False
        for start in range(0, len(data), CHUNK_BYTES):
            if full:
                await self._mailbox.room()
            full = self.feed_data(output, bytes(data[start : start + CHUNK_BYTES]))
        return full

    async def feed_text(self, output: OpenOutput, text: str) -> bool:
        """More text, of any length."""
        if output.kind == OutputKind.OUTPUT_KIND_DATA:
            return await self.feed_all_data(output, text.encode("utf-8", "replace"))
        full = False
        for start in range(0, len(text), CHUNK_BYTES):
            if full:
                await self._mailbox.room()
            if output.index != self._target:
                self._aim(output)
            piece = text[start : start + CHUNK_BYTES]
            full = self._put(piece, len(piece) + OVERHEAD)
        return full

    def attach(self, output: OpenOutput, item: Segment | Citation | VendorState) -> bool:
        """A segment of a transcript, a source, or what the vendor needs back with the output."""
        event = TransformEvent()
        delta = event.output_delta
        delta.index = output.index
        if isinstance(item, Segment):
            delta.segment.CopyFrom(item)
        elif isinstance(item, Citation):
            delta.citation.CopyFrom(item)
        else:
            delta.vendor_state.CopyFrom(item)
        self._last = output
        return self.emit(event)

    def complete(self, output: OpenOutput, info: MediaInfo | None = None) -> bool:
        """Ends an output."""
        del self._open[output.index]
        event = TransformEvent()
        completed = event.output_completed
        completed.index = output.index
        if output.part is not None:
            completed.part.CopyFrom(output.part)
        elif output.hasher is not None:
            completed.size_bytes = output.size
            completed.sha256 = output.hasher.hexdigest()
        if info is not None:
            completed.info.CopyFrom(info)
        return self.emit(event)

    def emit(self, event: TransformEvent) -> bool:
        """Any event. Raises `ValueError` for one that no message can hold."""
        size = event.ByteSize()
        if size > _EVENT_LIMIT:
            raise ValueError(f"what was yielded makes an event of {size} bytes; at most {_EVENT_LIMIT} fit a message")
        return self._put(event, size + OVERHEAD)

    def _aim(self, output: OpenOutput) -> None:
        """The plain items that follow belong to this output."""
        self._target = output.index
        self._last = output
        self._put(Target(output.index), 0)
