"""ffmpeg's reports and complaints in the contract's words."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mediaconduit_provider import (
    ExhaustedError,
    FieldViolation,
    InvalidRequestError,
    MediaConduitError,
    PreconditionError,
    Progress,
    Reason,
    UnavailableError,
)


@dataclass(frozen=True, slots=True)
class Tick:
    """One report of ``-progress``."""

    position: float | None
    """Seconds of output made."""
    speed: float | None
    """Seconds of output per second."""
    frames: int = 0
    """Pictures made."""
    end: bool = False


class ProgressReader:
    """Lines of ``-progress`` in, ticks out."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> Tick | None:
        """A tick when the line ends a report."""
        key, found, value = line.strip().partition("=")
        if not found:
            return None
        if key != "progress":
            self._fields[key] = value.strip()
            return None
        fields, self._fields = self._fields, {}
        microseconds = _number(fields.get("out_time_us", ""))
        return Tick(
            None if microseconds is None else max(microseconds / 1_000_000, 0.0),
            _number(fields.get("speed", "").removesuffix("x")),
            int(_number(fields.get("frame", "")) or 0),
            end=value == "end",
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "N/A" until the first packet
        return None


def progress(tick: Tick, length: float | None) -> Progress:
    """A tick as progress towards `length` seconds of output; without a fraction when that is unknown."""
    report = Progress(stage="running")
    if not length or tick.position is None:
        return report
    report.fraction = min(tick.position / length, 1.0)
    if tick.speed:
        report.remaining.FromMilliseconds(round(max(length - tick.position, 0.0) / tick.speed * 1000))
    return report


# What ffmpeg says after what it really wants to say.
_FOLLOW_UP: Final = (
    "Conversion failed",
    "Error opening input",
    "Error opening output",
    "Error while filtering",
    "Error while processing",
    "Error sending frames",
    "Error submitting",
    "Error initializing filters",
    "Error reinitializing filters",
    "Error linking filters",
    "Error encoding a frame",
    "Failed to inject frame",
    "Failed to configure",
    "Error while opening encoder",
    "Decode error rate",
    "Decoding error",
    "get_buffer() failed",
    "Failed to set value",
    "Could not open encoder before",
    "Task finished with error",
    "Terminating thread",
    "Nothing was written",
    "Cannot determine format of input",
)
_COMPLAINT: Final = re.compile(r"\[(error|fatal|panic)\] (.*)$")
_PATH: Final = re.compile(r"(?:file:)?(?<![\w.])/[^\s'\",;]+")


def complaint(lines: Iterable[str], *, telling_only: bool = False) -> str:
    """The last line of a log that says what went wrong, free of paths and addresses; empty when there is none.

    Lines that only follow from others count when there is nothing better, unless `telling_only`.
    """
    found = [m.group(2).strip() for line in lines if (m := _COMPLAINT.search(line))]
    telling = [text for text in found if not text.startswith(_FOLLOW_UP)] or ([] if telling_only else found)
    return _PATH.sub("a file", telling[-1])[:300].rstrip(".") if telling else ""


def failure(status: int, log: Sequence[str], *, field: str, filter_field: str) -> MediaConduitError:
    """Why ffmpeg ended with `status` (negative: a signal).

    Args:
        status: Exit status of the process.
        log: Its last lines.
        field: The main input, for mistakes found in it.
        filter_field: The option with the caller's own filter; empty without one.
    """
    if status < 0:
        name = signal.Signals(-status).name
        return UnavailableError(
            f"ffmpeg was ended by {name} before it was done",
            reason=Reason.VENDOR_UNAVAILABLE,
            hint="try again; SIGKILL mostly means that the machine had no memory left for it",
        )
    said = complaint(log) or f"it ended with status {status}"
    if re.search(r"Unknown encoder|Encoder not found|No such filter|Unrecognized option", said):
        return PreconditionError(
            f"this ffmpeg lacks something: {said}",
            hint="clear the setting ffmpeg_path to use the bundled one, or choose another output media type",
        )
    if "No space left" in said:
        return ExhaustedError("the provider's disk is full", hint="free some space on its machine and try again")
    if filter_field and re.search(r"Parsed_|[Ff]ilter|AVFilterGraph|expr|pad", "\n".join(log[-12:])):
        where = filter_field
    else:
        where = field
    return InvalidRequestError(
        f"ffmpeg could not do this: {said}",
        fields=[FieldViolation(where, said)],
        hint="check the input and the options",
    )
