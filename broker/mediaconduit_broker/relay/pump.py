"""Forwards frames from one stream to another; where the writer falls behind, what piles up travels as one message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import grpc
from mediaconduit import tasks
from mediaconduit.streams import Mailbox

IN_FLIGHT_BYTES: Final = 256 * 1024
"""Read ahead of a write at most, beside one frame; the write under way may hold as much again."""
JOINED_BYTES: Final = 1024 * 1024
"""Serialised TransformResponses may be joined up to this size: their lists of events add up."""
_SLOW: Final = 2
"""A source is slow when its frames are waited for so many times as long as they take to write: at 0.15 ms a write,
below some 2,000 messages a second. With 8, writes of a millisecond on a busy machine made paced streams read ahead."""
_BEHIND: Final = 4
"""Frames in a row from a source that is not slow: from here on it is read ahead."""
_CAUGHT_UP: Final = 16
"""Frames in a row from a slow one: from here on it is not."""

Read = Callable[[], Awaitable[Any]]
Write = Callable[[bytes], Awaitable[None]]
Tap = Callable[[bytes], None]


class ChannelClosedError(Exception):
    """The call was ended from this side, because its channel was closed: the sidecar is gone."""


async def pump(read: Read, write: Write, tap: Tap) -> None:
    """Forwards until the end of the source. `tap` sees every frame before it is joined with others.

    While the source is slower than the writer, frame by frame in this task; reading ahead in a second one costs a tenth
    more CPU for each message (docs/decisions/0004-relay-reads-ahead-when-behind.md).

    Raises:
        grpc.aio.AioRpcError: As the source ends with.
        ChannelClosedError: The source was closed under us.
    """
    behind = 0
    while True:
        asked = time.monotonic()
        frame = await _frame(read)
        if frame is grpc.aio.EOF:
            return
        came = time.monotonic()
        tap(frame)
        await write(frame)
        if _is_slow(asked, came):
            behind = 0
            continue
        behind += 1
        if behind == _BEHIND:
            if await _pump_ahead(read, write, tap):
                return
            behind = 0


async def _frame(read: Read) -> Any:
    try:
        return await read()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ChannelClosedError from None


def _is_slow(asked: float, came: float) -> bool:
    """Of the frame that has just been written, when it was asked for and when it came."""
    return came - asked > _SLOW * (time.monotonic() - came)


async def _pump_ahead(read: Read, write: Write, tap: Tap) -> bool:
    """Forwards what piled up during a write as one message. True at the end of the source, False once caught up."""
    box: Mailbox[bytes] = Mailbox(IN_FLIGHT_BYTES)
    caught_up = asyncio.Event()
    reader = tasks.start(_fill(read, box, caught_up), name="relay reader")
    slow = 0
    try:
        while True:
            asked = time.monotonic()
            if not (frames := await box.take()):
                return await reader
            came = time.monotonic()
            for frame in frames:
                tap(frame)
            for message in frames if len(frames) == 1 else joined(frames):
                await write(message)
            slow = slow + 1 if _is_slow(asked, came) else 0
            if slow == _CAUGHT_UP:
                caught_up.set()
    finally:
        if not reader.done():
            await tasks.cancel_and_join(reader)


async def _fill(read: Read, box: Mailbox[bytes], caught_up: asyncio.Event) -> bool:
    """True at the end of the source. A read under way is never cancelled, for that would cancel the call."""
    try:
        while not caught_up.is_set():
            frame = await read()
            if frame is grpc.aio.EOF:
                box.close()
                return True
            if box.put(frame, len(frame)):
                await box.room()
    except asyncio.CancelledError:
        # Whoever cancels the pump does not look any more; otherwise the channel was closed.
        box.close(ChannelClosedError())
        raise
    except Exception as error:
        box.close(error)
    else:
        box.close()
    return False


def joined(frames: list[bytes]) -> Iterator[bytes]:
    """Messages of at most `JOINED_BYTES` that hold all frames in order; a larger frame stays alone."""
    batch: list[bytes] = []
    size = 0
    for frame in frames:
        if batch and size + len(frame) > JOINED_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(frame)
        size += len(frame)
    if batch:
        yield b"".join(batch)
