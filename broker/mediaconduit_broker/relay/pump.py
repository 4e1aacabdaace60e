"""Forwards frames from one stream to another; what arrives during a write goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import grpc
from mediaconduit import tasks
from mediaconduit.streams import Mailbox

IN_FLIGHT_BYTES: Final = 256 * 1024
"""Read ahead of a write at most, beside one frame; the write under way may hold as much again."""
JOINED_BYTES: Final = 1024 * 1024
"""Serialised TransformResponses may be joined up to this size: their lists of events add up."""

Read = Callable[[], Awaitable[Any]]
Write = Callable[[bytes], Awaitable[None]]
Tap = Callable[[bytes], None]


class ChannelClosedError(Exception):
    """The call was ended from this side, because its channel was closed: the sidecar is gone."""


async def pump(read: Read, write: Write, tap: Tap) -> None:
    """Forwards until the end of the source. `tap` sees every frame before it is joined with others.

    Raises:
        grpc.aio.AioRpcError: As the source ends with.
        ChannelClosedError: The source was closed under us.
    """
    box: Mailbox[bytes] = Mailbox(IN_FLIGHT_BYTES)
    reader = tasks.start(_fill(read, box), name="relay reader")
    try:
        while frames := await box.take():
            for frame in frames:
                tap(frame)
            if len(frames) == 1:
                await write(frames[0])
            else:
                for message in joined(frames):
                    await write(message)
    finally:
        if not reader.done():
            await tasks.cancel_and_join(reader)


async def _fill(read: Read, box: Mailbox[bytes]) -> None:
    try:
        while (frame := await read()) is not grpc.aio.EOF:
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
