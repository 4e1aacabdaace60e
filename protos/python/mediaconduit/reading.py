"""From messages of the contract to events: what each delta belongs to, and whether what came is what was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from mediaconduit import events
from mediaconduit.errors import InternalError
from mediaconduit.events import Event
from mediaconduit.v1 import events_pb2
from mediaconduit.v1.events_pb2 import OutputKind
from mediaconduit.v1.media_pb2 import Role, Segment


class _Open:
    """An output under way."""

    __slots__ = ("candidate", "digest", "kind", "preview_of", "size", "spoken", "streamed", "visible")

    def __init__(self, started: events_pb2.OutputStarted) -> None:
        self.kind = started.kind
        self.candidate = started.candidate
        self.preview_of = started.preview_of if started.HasField("preview_of") else None
        self.visible = self.preview_of is None and started.role != Role.ROLE_USER
        self.streamed = False
        self.size = 0
        self.digest = hashlib.sha256()
        self.spoken = Spoken()


class Spoken:
    """Joins segments of a transcript to readable text: a space between two that bring none."""

    __slots__ = ("_ids", "_last")

    def __init__(self) -> None:
        self._last = ""
        self._ids: set[str] = set()

    def add(self, segment: Segment) -> str:
        """What a segment adds; nothing while it may still change, or when it corrects one that was final."""
        if segment.provisional or segment.sound or (segment.id and segment.id in self._ids) or not segment.text:
            return ""
        self._ids.add(segment.id)
        return self.append(segment.text)

    def append(self, text: str) -> str:
        """The text with the space it needs before it."""
        gap = " " if self._last and not self._last[-1].isspace() and not text[0].isspace() else ""
        self._last = text
        return gap + text


class EventReader:
    """Turns the messages of one call into events, in order.

    Raises `InternalError` where they break the contract and where an output is not what its hash says.
    """

    def __init__(self) -> None:
        self._outputs: dict[int, _Open] = {}
        self.completed = False
        """Whether the call has ended well."""

    def read(self, message: events_pb2.TransformEvent) -> Event:
        """The event in a message."""
        kind = message.WhichOneof("event")
        if kind is None:
            return Event(message.sequence)
        return _READERS[kind](self, message.sequence, getattr(message, kind))

    def _started(self, sequence: int, started: events_pb2.Started) -> Event:
        self._outputs.clear()
        return events.Started(sequence, started.generation, started.model)

    def _output_started(self, sequence: int, started: events_pb2.OutputStarted) -> Event:
        self._outputs[started.index] = _Open(started)
        return events.OutputStarted(sequence, started.index, started.kind, started.media_type, started)

    def _output_delta(self, sequence: int, delta: events_pb2.OutputDelta) -> Event:
        output = self._output(delta.index)
        kind = delta.WhichOneof("delta")
        if kind == "citation":
            return events.Cited(sequence, delta.index, delta.citation)
        if kind == "vendor_state":
            return events.StateSet(sequence, delta.index, delta.vendor_state)
        output.streamed = True
        if kind == "data":
            data = delta.data
            output.size += len(data)
            output.digest.update(data)
            if output.preview_of is None:
                return events.DataDelta(sequence, delta.index, data=data)
        if output.preview_of is not None:
            return events.PreviewDelta(sequence, delta.index, output.preview_of, delta)
        if kind == "segment":
            return _spoken(sequence, output, delta)
        if kind == "text":
            return _TEXTS.get(output.kind, _text)(sequence, output, delta)
        return Event(sequence)

    def _output_completed(self, sequence: int, completed: events_pb2.OutputCompleted) -> Event:
        output = self._output(completed.index)
        text, data = "", b""
        if not output.streamed and output.visible:
            part = completed.part
            text = visible_text(part.text, part.transcript.segments)
            data = part.data
        if output.streamed and output.kind == OutputKind.OUTPUT_KIND_DATA:
            _check(completed, output)
        return events.OutputCompleted(sequence, completed.index, completed, text=text, data=data)

    def _progress(self, sequence: int, progress: events_pb2.Progress) -> Event:
        return events.Progress(
            sequence,
            progress.fraction if progress.HasField("fraction") else None,
            progress.stage,
            progress.message,
            progress.queue_position if progress.HasField("queue_position") else None,
            progress.remaining.ToNanoseconds() / 1e9 if progress.HasField("remaining") else None,
            progress.log_lines,
        )

    def _notice(self, sequence: int, notice: events_pb2.Notice) -> Event:
        return events.Notice(sequence, notice.code, notice.message)

    def _usage(self, sequence: int, usage: events_pb2.Usage) -> Event:
        return events.UsageUpdate(sequence, usage)

    def _checkpoint(self, sequence: int, checkpoint: events_pb2.Checkpoint) -> Event:
        return events.Checkpoint(sequence, checkpoint.resume_token, checkpoint)

    def _signal(self, sequence: int, signal: events_pb2.Signal) -> Event:
        return events.Signal(sequence, signal.kind, signal.turn, signal)

    def _completed(self, sequence: int, completed: events_pb2.Completed) -> Event:
        self.completed = True
        return events.Completed(sequence, completed.finishes, completed.usage, completed.provenance)

    def _output(self, index: int) -> _Open:
        try:
            return self._outputs[index]
        except KeyError:
            raise InternalError(f"the server sent more of output {index}, which it never started") from None


_READERS: Final[dict[str, Callable[[EventReader, int, Any], Event]]] = {
    "started": EventReader._started,
    "output_started": EventReader._output_started,
    "output_delta": EventReader._output_delta,
    "output_completed": EventReader._output_completed,
    "progress": EventReader._progress,
    "notice": EventReader._notice,
    "usage": EventReader._usage,
    "checkpoint": EventReader._checkpoint,
    "signal": EventReader._signal,
    "completed": EventReader._completed,
}


def visible_text(text: str, segments: object) -> str:
    """Text of a part that came whole."""
    if text:
        return text
    spoken = Spoken()
    return "".join(spoken.add(segment) for segment in segments)  # type: ignore[attr-defined]


def _text(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    text = delta.text if output.visible else ""
    return events.TextDelta(sequence, delta.index, output.candidate, delta.logprobs, text=text)


def _reasoning(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    return events.ReasoningDelta(sequence, delta.index, delta.text)


def _tool_call(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    return events.ToolCallDelta(sequence, delta.index, delta.text)


def _tool_result(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    return events.ToolResultDelta(sequence, delta.index, delta.text)


def _transcript(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    text = delta.text if output.visible else ""
    return events.TranscriptDelta(sequence, delta.index, delta.text, None, text=text)


def _spoken(sequence: int, output: _Open, delta: events_pb2.OutputDelta) -> Event:
    segment = delta.segment
    text = output.spoken.add(segment) if output.visible else ""
    return events.TranscriptDelta(sequence, delta.index, segment.text, segment, text=text)


_TEXTS: Final[dict[int, Callable[[int, _Open, events_pb2.OutputDelta], Event]]] = {
    OutputKind.OUTPUT_KIND_REASONING: _reasoning,
    OutputKind.OUTPUT_KIND_TOOL_CALL: _tool_call,
    OutputKind.OUTPUT_KIND_TOOL_RESULT: _tool_result,
    OutputKind.OUTPUT_KIND_TRANSCRIPT: _transcript,
}


def _check(completed: events_pb2.OutputCompleted, output: _Open) -> None:
    if completed.size_bytes and completed.size_bytes != output.size:
        raise InternalError(
            f"output {completed.index} came damaged: {output.size} bytes of {completed.size_bytes}",
            hint="try again; a proxy on the way may cut what it passes on",
        )
    if completed.sha256 and completed.sha256 != output.digest.hexdigest():
        raise InternalError(
            f"output {completed.index} came damaged: its SHA-256 differs from what was sent",
            hint="try again; a proxy on the way may change what it passes on",
        )
