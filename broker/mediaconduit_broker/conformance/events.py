"""Whether the events of a call that succeeded keep to the contract. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1.events_pb2 import OutputCompleted, OutputDelta, OutputKind, OutputStarted, TransformEvent

_DATA: Final = OutputKind.OUTPUT_KIND_DATA
_TEXTUAL: Final = frozenset(
    {
        OutputKind.OUTPUT_KIND_TEXT,
        OutputKind.OUTPUT_KIND_REASONING,
        OutputKind.OUTPUT_KIND_TOOL_CALL,
        OutputKind.OUTPUT_KIND_TOOL_RESULT,
        OutputKind.OUTPUT_KIND_TRANSCRIPT,
    }
)
_TYPED: Final = frozenset({OutputKind.OUTPUT_KIND_TEXT, _DATA})
"""Kinds whose media type must be said."""


class _Output:
    """What came of one output."""

    def __init__(self, started: OutputStarted) -> None:
        self.started = started
        self.hasher = hashlib.sha256()
        self.size = 0
        self.completed = False


class _Reader:
    """Reads events in order and notes what is wrong."""

    def __init__(self, model: str) -> None:
        self.faults: list[str] = []
        self._model = model
        self._outputs: dict[int, _Output] = {}
        self._sequence = 0
        self._ended = False

    def read(self, event: TransformEvent) -> None:
        kind = event.WhichOneof("event")
        if kind is None:
            self._fault(f"event {event.sequence} is empty")
        if self._ended:
            self._fault(f"{kind} follows completed")
        self._sequence = 1 if kind == "started" else self._sequence + 1
        if event.sequence != self._sequence:
            self._fault(f"{kind} has sequence {event.sequence} where {self._sequence} is due")
            self._sequence = event.sequence
        match kind:
            case "started":
                self._started(event)
            case "output_started":
                self._output_started(event.output_started)
            case "output_delta":
                self._delta(event.output_delta)
            case "output_completed":
                self._output_completed(event.output_completed)
            case "completed":
                self._completed(event)

    def end(self) -> None:
        if not self._ended:
            self._fault("the call ended with OK and without completed")

    def _started(self, event: TransformEvent) -> None:
        if self._outputs:
            self._fault("started comes again after the first output")
        if not event.started.generation.startswith("generations/"):
            self._fault(f"started names the generation {event.started.generation!r}, not generations/…")
        if event.started.model != self._model:
            self._fault(f"started names the model {event.started.model!r}, not {self._model!r}")

    def _output_started(self, started: OutputStarted) -> None:
        if started.index != len(self._outputs):
            self._fault(f"output {started.index} begins where output {len(self._outputs)} is due")
        if started.kind == OutputKind.OUTPUT_KIND_UNSPECIFIED:
            self._fault(f"output {started.index} has no kind")
        if started.kind in _TYPED and "/" not in started.media_type:
            self._fault(f"output {started.index} has the media type {started.media_type!r}")
        self._outputs[started.index] = _Output(started)

    def _delta(self, delta: OutputDelta) -> None:
        output = self._open(delta.index, "a delta")
        if output is None:
            return
        content = delta.WhichOneof("delta")
        if content == "data":
            output.hasher.update(delta.data)
            output.size += len(delta.data)
            if output.started.kind != _DATA:
                self._fault(f"output {delta.index} is text and is fed bytes")
            if len(delta.data) > CHUNK_BYTES:
                self._fault(f"a delta has {len(delta.data)} bytes; at most {CHUNK_BYTES} are allowed")
        elif content == "text":
            output.size += len(delta.text.encode())
            if output.started.kind not in _TEXTUAL:
                self._fault(f"output {delta.index} is data and is fed text")

    def _output_completed(self, completed: OutputCompleted) -> None:
        output = self._open(completed.index, "output_completed")
        if output is None:
            return
        output.completed = True
        if completed.part.HasField("asset"):
            return
        if completed.HasField("part"):
            if output.size:
                self._fault(f"output {completed.index} comes twice: in deltas and with its end")
            output.hasher.update(completed.part.data)
            output.size = len(completed.part.data or completed.part.text.encode())
        self._weigh(output, completed)

    def _weigh(self, output: _Output, completed: OutputCompleted) -> None:
        is_data = output.started.kind == _DATA
        if completed.size_bytes != output.size and (is_data or completed.size_bytes):
            self._fault(f"output {completed.index} has {output.size} bytes and says {completed.size_bytes}")
        if is_data and completed.sha256 != output.hasher.hexdigest():
            self._fault(f"output {completed.index} has another SHA-256 than it says")
        if not is_data and completed.sha256:
            self._fault(f"output {completed.index} has a SHA-256, which only data has")

    def _completed(self, event: TransformEvent) -> None:
        self._ended = True
        for index, output in self._outputs.items():
            if not output.completed:
                self._fault(f"output {index} was never completed")
        provider = self._model.partition("/models/")[0]
        if event.completed.provenance.provider != provider:
            self._fault(f"provenance names {event.completed.provenance.provider!r}, not {provider!r}")

    def _open(self, index: int, what: str) -> _Output | None:
        output = self._outputs.get(index)
        if output is None or output.completed:
            state = "has not begun" if output is None else "was complete already"
            self._fault(f"{what} is of output {index}, which {state}")
            return None
        return output

    def _fault(self, text: str) -> None:
        self.faults.append(text)


def faults(events: Sequence[TransformEvent], model: str) -> list[str]:
    """Everything that is wrong with the events of a call to `model` that ended with OK."""
    if not events:
        return ["there are no events"]
    reader = _Reader(model)
    if events[0].WhichOneof("event") != "started":
        reader.faults.append(f"the first event is {events[0].WhichOneof('event')}, not started")
    for event in events:
        reader.read(event)
    reader.end()
    return reader.faults


def outputs(events: Iterable[TransformEvent]) -> list[OutputStarted]:
    """The outputs that began and are no early looks at others."""
    begun = [event.output_started for event in events if event.WhichOneof("event") == "output_started"]
    return [started for started in begun if not started.HasField("preview_of")]
