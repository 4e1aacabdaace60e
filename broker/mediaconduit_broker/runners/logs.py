"""What a sidecar writes: a bounded ring with followers."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from mediaconduit_broker.secrets import Redactor

KEPT_LINES: Final = 2_000
LINE_BYTES: Final = 8 * 1024
BYTES_PER_SECOND: Final = 1024 * 1024
"""What is kept of a flood; the rest is read and dropped, so that neither side stalls."""

_PREFIX: Final = re.compile(r"^<([0-7])>")
_LEVELS: Final = ("error", "error", "error", "error", "warning", "info", "info", "debug")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line."""

    number: int
    """Counts all lines of this provider, dropped ones included."""
    time: float
    """When it was read, seconds since the epoch."""
    level: str
    """"debug", "info", "warning", "error": from an sd-daemon prefix ("<4>"), else "info"."""
    text: str


class LogBuffer:
    """The last lines of one provider, over all its starts. No secret its redactor knows gets in."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self._records: deque[LogRecord] = deque(maxlen=KEPT_LINES)
        self._count = 0
        self._news = asyncio.Event()

    def append(self, text: str, level: str = "info") -> None:
        """Adds a line."""
        if match := _PREFIX.match(text):
            level, text = _LEVELS[int(match[1])], text[match.end() :]
        self._count += 1
        # Before it is cut: half a secret would not be found any more.
        self._records.append(LogRecord(self._count, time.time(), level, self.redactor.text(text)[:LINE_BYTES]))
        self._news.set()
        self._news = asyncio.Event()

    def drop(self, lines: int) -> None:
        """Counts lines that were not kept."""
        self._count += lines

    def tail(self, lines: int) -> list[LogRecord]:
        """The last ones, oldest first."""
        return list(self._records)[-lines:] if lines > 0 else []

    async def follow(self, after: int) -> AsyncIterator[tuple[list[LogRecord], int]]:
        """New lines as they come, each time with the number of those lost before them. Never ends by itself."""
        while True:
            news = self._news
            fresh = [record for record in self._records if record.number > after]
            if fresh:
                lost = fresh[-1].number - after - len(fresh)
                after = fresh[-1].number
                yield fresh, lost
            else:
                await news.wait()

    @property
    def last_number(self) -> int:
        """Number of the newest line."""
        return self._records[-1].number if self._records else self._count


class LineReader:
    """Reads lines from a pipe into a buffer. Lines longer than `LINE_BYTES` are cut, floods thinned."""

    def __init__(self, stream: asyncio.StreamReader, logs: LogBuffer) -> None:
        self._stream = stream
        self._logs = logs
        self._rest = b""
        self._torn = False
        """What comes next is the end of a line whose beginning was dropped."""
        self._second = 0
        self._bytes = 0

    async def run(self) -> None:
        """Returns at the end of the pipe."""
        while chunk := await self._stream.read(65536):
            if self._over_budget(len(chunk)):
                self._logs.drop(chunk.count(b"\n"))
                self._rest, self._torn = b"", not chunk.endswith(b"\n")
                continue
            if self._torn:
                # It may begin within a secret, whose end nobody would know as one.
                _, newline, chunk = chunk.partition(b"\n")
                self._torn = not newline
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._emit(line)
            if len(self._rest) > LINE_BYTES + self._logs.redactor.longest:
                self._emit_part()
        if self._rest:
            self._emit(self._rest)

    def _emit_part(self) -> None:
        """Gives what has come of a line without end, but for what may be the beginning of a secret."""
        redactor = self._logs.redactor
        data = redactor.data(self._rest)
        kept = max(redactor.longest - 1, 0)
        self._rest = data[len(data) - kept :] if kept else b""
        self._emit(data[: len(data) - len(self._rest)])

    def _emit(self, line: bytes) -> None:
        if text := line.decode("utf-8", "replace").rstrip():
            self._logs.append(text)

    def _over_budget(self, size: int) -> bool:
        now = int(time.monotonic())
        if now != self._second:
            if self._bytes > BYTES_PER_SECOND:
                self._logs.append(f"{self._bytes - BYTES_PER_SECOND} bytes of a flood were dropped", "warning")
            self._second, self._bytes = now, 0
        self._bytes += size
        return self._bytes > BYTES_PER_SECOND
