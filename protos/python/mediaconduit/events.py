"""What a call streams back, as small typed objects.

Every event has `text` and `data`, empty when it brings none, so ``print(event.text, end="")`` is always right: `text`
is the visible answer and nothing else, and all of it joined is `Result.text`. Reasoning, tool arguments and what the
caller said are events of their own. Match on the classes for more::

    match event:
        case TextDelta(text=text): ...
        case Progress(fraction=fraction): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mediaconduit.v1 import events_pb2, media_pb2
from mediaconduit.v1.events_pb2 import OutputKind, SignalKind


@dataclass(slots=True)
class Event:
    """Something that happened. Of this class itself: news from a contract later than this client."""

    sequence: int
    """1, 2, 3 …, from 1 again with every `Started`."""
    text: str = field(default="", kw_only=True)
    """Visible answer text that is new."""
    data: bytes = field(default=b"", kw_only=True)
    """Bytes of an output that are new."""


@dataclass(slots=True)
class Started(Event):
    """The work begins. A second one voids what came before: it moved elsewhere."""

    generation: str
    """"generations/{id}": the record of this call."""
    model: str
    """The model really used."""


@dataclass(slots=True)
class OutputStarted(Event):
    """An output begins."""

    index: int
    kind: OutputKind.ValueType
    media_type: str
    started: events_pb2.OutputStarted
    """All that is said of it."""


@dataclass(slots=True)
class TextDelta(Event):
    """More text of an answer."""

    index: int
    candidate: int
    """Which alternative it belongs to."""
    logprobs: Sequence[events_pb2.TokenLogprob]


@dataclass(slots=True)
class DataDelta(Event):
    """More bytes of an output, at most 256 KiB."""

    index: int


@dataclass(slots=True)
class ReasoningDelta(Event):
    """More reasoning."""

    index: int
    reasoning: str


@dataclass(slots=True)
class ToolCallDelta(Event):
    """More of the arguments of a tool call."""

    index: int
    arguments: str


@dataclass(slots=True)
class ToolResultDelta(Event):
    """More of what a hosted tool answered."""

    index: int
    answer: str


@dataclass(slots=True)
class TranscriptDelta(Event):
    """More of a transcript; `text` has it too, once final, unless it is what the caller said."""

    index: int
    transcript: str
    """What was said."""
    segment: media_pb2.Segment | None
    """With times, where the model gives them; replaces the one with the same id."""


@dataclass(slots=True)
class PreviewDelta(Event):
    """More of an early look at another output; may be ignored."""

    index: int
    of: int
    delta: events_pb2.OutputDelta


@dataclass(slots=True)
class Cited(Event):
    """A source of an output's text."""

    index: int
    citation: media_pb2.Citation


@dataclass(slots=True)
class StateSet(Event):
    """What the vendor needs back with an output; conversations take care of it."""

    index: int
    vendor_state: media_pb2.VendorState


@dataclass(slots=True)
class OutputCompleted(Event):
    """An output is whole. `text` or `data` hold it when it was not streamed."""

    index: int
    completed: events_pb2.OutputCompleted


@dataclass(slots=True)
class Progress(Event):
    """How far; advisory."""

    fraction: float | None
    """0 to 1; None when unknown."""
    stage: str
    message: str
    queue_position: int | None
    remaining: float | None
    """Seconds, estimated."""
    log_lines: Sequence[str]


@dataclass(slots=True)
class Notice(Event):
    """Something to know, with nothing to do about it."""

    code: str
    message: str


@dataclass(slots=True)
class UsageUpdate(Event):
    """Consumed so far, in all."""

    usage: events_pb2.Usage


@dataclass(slots=True)
class Checkpoint(Event):
    """From here on the work can be resumed with ``resume_token=``."""

    resume_token: bytes
    checkpoint: events_pb2.Checkpoint


@dataclass(slots=True)
class Signal(Event):
    """Something else in a live session."""

    kind: SignalKind.ValueType
    turn: int
    signal: events_pb2.Signal


@dataclass(slots=True)
class Completed(Event):
    """The end of a call that succeeded."""

    finishes: Sequence[events_pb2.Finish]
    usage: events_pb2.Usage
    provenance: events_pb2.Provenance
