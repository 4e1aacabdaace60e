"""What `transform` and `live` are given."""

from __future__ import annotations

import abc
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mediaconduit.v1.events_pb2 import Usage
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit.v1.options_pb2 import TransformOptions

if TYPE_CHECKING:
    from mediaconduit_provider.provider import Model


class Input(abc.ABC):
    """One part of the input, whole or still arriving. Reads the same either way."""

    name: str
    """``Part.name``; empty for the main input."""
    media_type: str
    """IANA media type."""
    field: str
    """Where it stands in the request ("turns[0].parts[1]"), for errors."""

    @property
    @abc.abstractmethod
    def text(self) -> str:
        """Its text; empty when it holds none."""

    @property
    @abc.abstractmethod
    def uri(self) -> str:
        """Where a vendor can fetch it, when the caller sent a reference instead of content; else empty."""

    @property
    @abc.abstractmethod
    def size(self) -> int | None:
        """Bytes in all; None while it arrives."""

    @abc.abstractmethod
    def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes as they come, at most 256 KiB each. A part that arrives in pieces can be read once.

        An empty chunk is a flush: the caller wants what has come worked on before more comes.
        """

    @abc.abstractmethod
    async def read(self) -> bytes:
        """All of it, in memory."""

    @abc.abstractmethod
    async def path(self) -> Path:
        """All of it as a file, removed when the call ends. For content that must be seekable or is large."""

    @abc.abstractmethod
    def open(self) -> BinaryIO:
        """For plain (threaded) `transform`: a file of all of it. Waits until all of it has come."""


class Call(abc.ABC):
    """One call."""

    model: Model
    """The model asked for."""
    capability: str
    """What is wanted; the model's only one when the caller named none."""
    turns: Sequence[Turn]
    """The conversation as sent."""
    options: TransformOptions
    """As sent and validated."""
    labels: Mapping[str, str]
    """For accounting."""
    affinity_key: str
    """Calls of one conversation share it: pass it on as the vendor's cache key."""
    resume_token: bytes
    """From an earlier `Checkpoint`: go on with that work. Empty otherwise."""
    generation: str
    """"generations/{id}": the record of this call."""
    caller: str
    """Who calls, as the broker says; empty without a broker."""
    log: logging.LoggerAdapter[logging.Logger]
    """Logs with the call's generation."""
    left: bool = False
    """Whether the caller has cancelled or was lost. A call that is cancelled without was stopped with its sidecar, and
    may be resumed by another one."""

    @property
    @abc.abstractmethod
    def text(self) -> str:
        """Text of the last user turn's main input, its parts joined; empty when there is none."""

    @property
    @abc.abstractmethod
    def system(self) -> str:
        """Text of the ROLE_SYSTEM turns, joined by empty lines."""

    @abc.abstractmethod
    def inputs(self, name: str = "") -> Sequence[Input]:
        """Inputs of the user turns with this name, in order; the main ones without a name."""

    @abc.abstractmethod
    def input(self, name: str = "") -> Input:
        """The first of `inputs`. Raises `InvalidRequestError` when there is none."""

    @abc.abstractmethod
    def option(self, path: str, default: Any = None) -> Any:
        """An option by its path ("audio.speed", "extra.word_gap"); `default` when absent. Durations in seconds."""

    @abc.abstractmethod
    def media_type(self, *offered: str) -> str:
        """The media type to make: the first offered one that the caller wants (`output_media_types`), else the first.

        Nothing offered = the model's `output_media_types`. Raises `InvalidRequestError` when the caller wants others.
        """

    @property
    @abc.abstractmethod
    def folder(self) -> Path:
        """A private folder for temporary files, removed when the call ends."""

    @abc.abstractmethod
    def remaining(self) -> float | None:
        """Seconds until the caller's deadline; None without one."""

    @abc.abstractmethod
    def meter(self, consumed: Callable[[], Usage]) -> None:
        """Says how to count what the call has consumed. Asked once, if the call ends before a `Usage` was yielded."""


@dataclass(frozen=True, slots=True)
class InterruptRequest:
    """Stop what is being said."""

    index: int | None
    """Output that was playing."""
    played: float
    """Seconds of it that were heard."""


@dataclass(frozen=True, slots=True)
class RespondRequest:
    """Answer now."""


class Session(Call):
    """A live call: iterate to get what the caller sends after the start, in order, until it half-closes.

    Gives `Turn` (whole turns; announced streams are in `inputs` of the turn by `part_input`), `InterruptRequest`,
    `RespondRequest` and `TransformOptions` (already in force as `options`). The turns of the start are in `turns`.
    """

    @abc.abstractmethod
    def __aiter__(self) -> AsyncIterator[Turn | InterruptRequest | RespondRequest | TransformOptions]: ...

    @abc.abstractmethod
    def part_input(self, part: Part) -> Input:
        """How to read a part of a turn, also one that arrives in chunks."""
