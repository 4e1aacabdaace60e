"""Calls as the checks make them: raw requests, raw events, raw statuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from mediaconduit import channels
from mediaconduit.v1.events_pb2 import TransformEvent
from mediaconduit.v1.transform_pb2 import InputChunk, Respond, TransformLiveRequest, TransformRequest

from mediaconduit_broker.conformance.check import CheckFailedError
from mediaconduit_broker.conformance.statuses import Failure

CALL_SECONDS: Final = 60.0
"""Longest a sample may take."""
ACKNOWLEDGE_SECONDS: Final = 15.0
"""Within this something must come of a call: `started`, or a sign of life."""
STREAM: Final = 1
_PIECE: Final = 4096
_TIMEOUT_HEADER: Final = "grpc-timeout"

Metadata = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Recorded:
    """A call that has ended."""

    request: TransformRequest
    events: list[TransformEvent] = field(default_factory=list)
    failure: Failure | None = None
    """None when it ended with OK."""

    @property
    def kinds(self) -> list[str]:
        """What the events are, in order."""
        return [event.WhichOneof("event") or "" for event in self.events]


async def transform(stub: Any, request: TransformRequest) -> Recorded:
    """Makes a call and reads it to its end."""
    return await read(stub.Transform(request, timeout=CALL_SECONDS), Recorded(request))


async def upload(stub: Any, request: TransformRequest, *, respond: bool = False) -> Recorded:
    """The same call, its main part following in chunks. `respond`: then asks for an answer, as in a conversation."""
    start, content = announced(request)
    pieces = [TransformLiveRequest(start=start)]
    for at in range(0, len(content), _PIECE):
        data = content[at : at + _PIECE]
        pieces.append(
            TransformLiveRequest(chunk=InputChunk(stream=STREAM, data=data, last=at + _PIECE >= len(content)))
        )
    if respond:
        pieces.append(TransformLiveRequest(respond=Respond()))
    return await live(stub, pieces, request)


async def live(stub: Any, pieces: Sequence[TransformLiveRequest], request: TransformRequest) -> Recorded:
    """A live call with these pieces; `request` is what it comes to."""
    call = stub.TransformLive(timeout=CALL_SECONDS)
    try:
        await send(call, pieces)
        return await read(call, Recorded(request))
    finally:
        call.cancel()


async def send(call: Any, pieces: Iterable[TransformLiveRequest]) -> None:
    """Sends the pieces and half-closes; stops early when the call has ended."""
    for piece in pieces:
        if not await channels.write(call, piece.SerializeToString()):
            return
    await call.done_writing()


class Held:
    """A live call whose input does not end, so that it holds its place until `finish` or `cancel`."""

    def __init__(self, call: Any, request: TransformRequest, rest: bytes) -> None:
        self._call = call
        self._rest = rest
        self.recorded = Recorded(request)

    @classmethod
    async def open(cls, stub: Any, request: TransformRequest, *, deadline: float | None = None) -> Held:
        """Opens one and waits for its first event. `deadline`: seconds, known to the provider only.

        The caller's own gRPC would end the call by itself at a deadline of its own; what is of interest is whether
        the provider does, so it is told in the header and nobody here watches the clock.
        """
        start, rest = announced(request)
        metadata: Metadata = () if deadline is None else ((_TIMEOUT_HEADER, f"{int(deadline * 1000)}m"),)
        call = stub.TransformLive(metadata=metadata)
        held = cls(call, request, rest)
        try:
            await channels.write(call, TransformLiveRequest(start=start).SerializeToString())
            await held._first(deadline)
        except BaseException:
            call.cancel()
            raise
        return held

    async def _first(self, deadline: float | None) -> None:
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                message = await self._call.read()
        except TimeoutError:
            raise CheckFailedError(
                f"no event came within {ACKNOWLEDGE_SECONDS:g} s of a call whose input was still to come"
            ) from None
        except grpc.aio.AioRpcError as error:
            self.recorded.failure = Failure.of(error)
            if deadline is None:
                raise
            return
        if message is grpc.aio.EOF:
            raise CheckFailedError("a call ended although its input had not")
        self.recorded.events.extend(message.events)

    async def rest(self) -> Recorded:
        """Reads it to its end."""
        if self.recorded.failure is None:
            await read(self._call, self.recorded)
        return self.recorded

    async def finish(self) -> Recorded:
        """Ends its input and reads it to its end."""
        chunk = TransformLiveRequest(chunk=InputChunk(stream=STREAM, data=self._rest, last=True))
        if await channels.write(self._call, chunk.SerializeToString()):
            await self._call.done_writing()
        return await self.rest()

    def cancel(self) -> None:
        """Cancels it; nothing when it has ended."""
        self._call.cancel()


def announced(request: TransformRequest) -> tuple[TransformRequest, bytes]:
    """The same request with its main part announced as a stream, and the content of that part."""
    start = TransformRequest()
    start.CopyFrom(request)
    part = next(
        part
        for turn in reversed(start.turns)
        for part in turn.parts
        if not part.name and part.WhichOneof("content") in ("text", "data")
    )
    content = part.text.encode() if part.HasField("text") else part.data
    part.stream = STREAM
    return start, content


async def read(call: Any, recorded: Recorded) -> Recorded:
    """Reads a call to its end, into what is recorded of it."""
    try:
        while (message := await call.read()) is not grpc.aio.EOF:
            recorded.events.extend(message.events)
    except grpc.aio.AioRpcError as error:
        recorded.failure = Failure.of(error)
    return recorded
