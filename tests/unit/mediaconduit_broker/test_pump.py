import asyncio

import grpc
import pytest
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse
from mediaconduit_broker.relay.pump import IN_FLIGHT_BYTES, JOINED_BYTES, joined, pump


class Source:
    """Frames as a gRPC call gives them."""

    def __init__(self, frames: list[bytes], error: BaseException | None = None) -> None:
        self.left = list(frames)
        self.error = error
        self.reads = 0
        self.exhausted = asyncio.Event()

    async def read(self) -> object:
        self.reads += 1
        await asyncio.sleep(0)
        if self.left:
            return self.left.pop(0)
        self.exhausted.set()
        if self.error:
            raise self.error
        return grpc.aio.EOF


def responses(count: int) -> list[bytes]:
    return [
        TransformResponse(events=[TransformEvent(sequence=number)]).SerializeToString()
        for number in range(1, count + 1)
    ]


async def test_frames_that_pile_up_during_a_write_travel_as_one_message() -> None:
    source, written, go = Source(responses(100)), [], asyncio.Event()

    async def write(message: bytes) -> None:
        written.append(message)
        if len(written) == 1:
            await go.wait()

    running = asyncio.ensure_future(pump(source.read, write, lambda frame: None))
    await source.exhausted.wait()
    go.set()
    await running

    sequences = [event.sequence for message in written for event in TransformResponse.FromString(message).events]
    assert sequences == list(range(1, 101))
    assert len(written) == 2


async def test_every_frame_is_seen_before_it_is_joined() -> None:
    seen: list[bytes] = []

    async def write(message: bytes) -> None: ...

    await pump(Source(responses(5)).read, write, seen.append)

    assert seen == responses(5)


async def test_a_reader_that_stopped_stops_the_source() -> None:
    frame = b"x" * 65536
    source = Source([frame] * 1000)

    async def write(message: bytes) -> None:
        await asyncio.Event().wait()

    running = asyncio.ensure_future(pump(source.read, write, lambda frame: None))
    for _ in range(1000):
        await asyncio.sleep(0)
    assert source.reads <= 2 * IN_FLIGHT_BYTES // len(frame) + 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_came_before_a_failure_is_forwarded_first() -> None:
    failure = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
    written: list[bytes] = []

    async def write(message: bytes) -> None:
        written.append(message)

    with pytest.raises(grpc.aio.AioRpcError):
        await pump(Source([b"a", b"b"], failure).read, write, lambda frame: None)
    assert b"".join(written) == b"ab"


def test_joined_messages_stay_under_their_limit_and_lose_nothing() -> None:
    frames = [bytes([number]) * size for number, size in enumerate([1, JOINED_BYTES, 3, JOINED_BYTES - 3, 5])]
    messages = list(joined(frames))
    assert b"".join(messages) == b"".join(frames)
    assert [len(message) for message in messages] == [1, JOINED_BYTES, JOINED_BYTES, 5]
