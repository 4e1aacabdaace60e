"""What a sidecar writes: a bounded ring with followers."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

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
    """The last lines of one provider, over all its starts."""

    def __init__(self) -> None:
        self._records: deque[LogRecord] = deque(maxlen=KEPT_LINES)
        self._count = 0
        self._news = asyncio.Event()

    def append(self, text: str, level: str = "info") -> None:
        """Adds a line."""
        if match := _PREFIX.match(text):
            level, text = _LEVELS[int(match[1])], text[match.end() :]
        self._count += 1
        self._records.append(LogRecord(self._count, time.time(), level, text[:LINE_BYTES]))
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
        self._second = 0
        self._bytes = 0

    async def run(self) -> None:
        """Returns at the end of the pipe."""
        while chunk := await self._stream.read(65536):
            if self._over_budget(len(chunk)):
                self._logs.drop(chunk.count(b"\n"))
                self._rest = b""
                continue
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > LINE_BYTES:
                lines, self._rest = [*lines, self._rest], b""
            for line in lines:
                self._emit(line)
        if self._rest:
            self._emit(self._rest)

    def _emit(self, line: bytes) -> None:
        if text := line[:LINE_BYTES].decode("utf-8", "replace").rstrip():
            self._logs.append(text)

    def _over_budget(self, size: int) -> bool:
        now = int(time.monotonic())
        if now != self._second:
            if self._bytes > BYTES_PER_SECOND:
                self._logs.append(f"{self._bytes - BYTES_PER_SECOND} bytes of a flood were dropped", "warning")
            self._second, self._bytes = now, 0
        self._bytes += size
        return self._bytes > BYTES_PER_SECOND
