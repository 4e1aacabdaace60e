"""What piles up while a write is under way goes into the next one.

`Mailbox` stands between whoever makes frames and whoever writes them to a gRPC stream. An idle reader gets every
frame at once; a busy one gets fewer, larger messages; and nobody gets further ahead than `limit`.
"""

from __future__ import annotations

import asyncio
from typing import Final, Generic, TypeVar

T = TypeVar("T")

CHUNK_BYTES: Final = 256 * 1024
"""Most bytes of media in one message: larger ones block the event loop of both ends."""
WHOLE_INPUT_BYTES: Final = 1024 * 1024
"""Larger inputs travel in chunks by TransformLive."""
MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""No message is larger."""


class Mailbox(Generic[T]):
    """One producer, one consumer, bounded by weight.

    The producer calls `put` and, when that says the box is full, awaits `room`. The consumer awaits `take`, which
    gives everything that came since, in order, and an empty list once after `close`. Neither ever waits for the other
    without cause, and nothing is copied.
    """

    __slots__ = ("_closed", "_error", "_items", "_limit", "_loop", "_reader", "_weight", "_writer")

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: list[T] = []
        self._weight = 0
        self._limit = limit
        self._closed = False
        self._error: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def put(self, item: T, weight: int) -> bool:
        """Adds an item. True when the box is full: await `room` before the next one."""
        self._items.append(item)
        self._weight += weight
        reader = self._reader
        if reader is not None:
            self._reader = None
            if not reader.done():
                reader.set_result(None)
        return self._weight >= self._limit

    async def room(self) -> None:
        """Returns once the consumer has taken what was there."""
        while self._weight >= self._limit and not self._closed:
            self._writer = self._loop.create_future()
            await self._writer

    async def taken(self) -> None:
        """Returns once the consumer has everything that was put so far."""
        while self._items and not self._closed:
            self._writer = self._loop.create_future()
            await self._writer

    def close(self, error: BaseException | None = None) -> None:
        """No more items. `take` gives those left, then raises `error` or returns an empty list."""
        self._closed, self._error = True, error
        for waiting in (self._reader, self._writer):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        self._reader = self._writer = None

    async def take(self) -> list[T]:
        """All items since the last call; waits for one. Empty, or the error given to `close`, at the end."""
        while not self._items:
            if self._closed:
                if self._error is not None:
                    raise self._error
                return []
            self._reader = self._loop.create_future()
            await self._reader
        items, self._items, self._weight = self._items, [], 0
        writer = self._writer
        if writer is not None:
            self._writer = None
            if not writer.done():
                writer.set_result(None)
        return items
