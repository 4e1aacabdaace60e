import asyncio

import grpc
import pytest
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse
from mediaconduit_broker.relay.pump import IN_FLIGHT_BYTES, JOINED_BYTES, ChannelClosedError, joined, pump


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


async def turns(count: int) -> None:
    """Lets everyone else go on so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def sequences(messages: list[bytes]) -> list[int]:
    return [event.sequence for message in messages for event in TransformResponse.FromString(message).events]


async def test_frames_that_pile_up_during_writes_travel_together() -> None:
    source, written = Source(responses(200)), []

    async def write(message: bytes) -> None:
        written.append(message)
        await turns(20)

    await pump(source.read, write, lambda frame: None)

    assert sequences(written) == list(range(1, 201))
    assert len(written) < 100


async def test_frames_of_a_slow_source_travel_alone_also_after_a_backlog() -> None:
    written: list[bytes] = []
    source = Source(responses(300))
    readers: list[str] = []

    async def read() -> object:
        task = asyncio.current_task()
        assert task is not None
        readers.append(task.get_name())
        if source.reads > 100:
            await turns(200)
        return await source.read()

    async def write(message: bytes) -> None:
        written.append(message)
        await turns(4)

    await pump(read, write, lambda frame: None)

    assert sequences(written) == list(range(1, 301))
    assert all(len(sequences([message])) == 1 for message in written[-100:])
    assert "relay reader" in readers
    assert "relay reader" not in readers[-100:]


async def test_every_frame_is_seen_before_it_is_joined() -> None:
    seen: list[bytes] = []

    async def write(message: bytes) -> None: ...

    await pump(Source(responses(5)).read, write, seen.append)

    assert seen == responses(5)


@pytest.mark.parametrize("before", [0, 40], ids=["at once", "while reading ahead"])
async def test_a_reader_that_stopped_stops_the_source(before: int) -> None:
    frame = b"x" * 65536
    source = Source([frame] * 1000)
    written = 0

    async def write(message: bytes) -> None:
        nonlocal written
        written += len(message) // len(frame)
        if written > before:
            await asyncio.Event().wait()
        await turns(20)

    running = asyncio.ensure_future(pump(source.read, write, lambda frame: None))
    await turns(2000)
    assert source.reads <= written + IN_FLIGHT_BYTES // len(frame) + 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_source_closed_under_us_is_told_apart_from_our_own_cancellation() -> None:
    async def write(message: bytes) -> None:
        await turns(20)

    for count in (1, 40):
        with pytest.raises(ChannelClosedError):
            await pump(Source(responses(count), asyncio.CancelledError()).read, write, lambda frame: None)


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
