import asyncio

import pytest
from mediaconduit.errors import InternalError, InvalidRequestError, Reason
from mediaconduit.v1.transform_pb2 import TransformRequest
from mediaconduit_broker.relay.pump import Write
from mediaconduit_broker.relay.replay import Replays

REQUEST = TransformRequest(model="m", request_id="r")


class Runs:
    """A run that writes when told to, counting how often it was carried out."""

    def __init__(self) -> None:
        self.count = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        self.started = asyncio.Event()

    async def __call__(self, write: Write) -> None:
        self.count += 1
        await write(b"a")
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        await write(b"b")


class Reader:
    def __init__(self, replays: Replays, run: Runs, request: TransformRequest = REQUEST) -> None:
        self.got = b""
        self.task = asyncio.ensure_future(replays.follow("me", request.request_id, request, run, self.write))

    async def write(self, message: bytes) -> None:
        self.got += message


@pytest.fixture
async def replays():
    made = Replays(1024, 60)
    yield made
    await made.aclose()


async def test_two_callers_with_one_id_share_one_run(replays: Replays) -> None:
    run = Runs()
    first = Reader(replays, run)
    await run.started.wait()
    second = Reader(replays, run)
    run.go.set()
    await asyncio.gather(first.task, second.task)

    assert (first.got, second.got, run.count) == (b"ab", b"ab", 1)


async def test_a_repeat_after_success_gets_the_events_again(replays: Replays) -> None:
    run = Runs()
    run.go.set()
    await Reader(replays, run).task
    repeat = Reader(replays, run)
    await repeat.task

    assert (repeat.got, run.count) == (b"ab", 1)


async def test_another_content_under_the_same_id_is_refused(replays: Replays) -> None:
    run = Runs()
    first = Reader(replays, run)
    await run.started.wait()
    with pytest.raises(InvalidRequestError) as caught:
        await Reader(replays, run, TransformRequest(model="other", request_id="r")).task
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    run.go.set()
    await first.task
    assert first.got == b"ab"


async def test_the_run_outlives_its_first_caller_while_another_reads(replays: Replays) -> None:
    run = Runs()
    first = Reader(replays, run)
    await run.started.wait()
    second = Reader(replays, run)
    await asyncio.sleep(0)
    first.task.cancel()
    await asyncio.wait([first.task])
    run.go.set()
    await second.task
    assert (second.got, run.cancelled) == (b"ab", 0)


async def test_the_run_is_cancelled_when_its_last_caller_leaves(replays: Replays) -> None:
    run = Runs()
    only = Reader(replays, run)
    await run.started.wait()
    only.task.cancel()
    await asyncio.wait([only.task])
    assert run.cancelled == 1


async def test_a_failure_reaches_everyone_and_is_not_kept(replays: Replays) -> None:
    async def fail(write: Write) -> None:
        raise InternalError("no")

    for _ in range(2):
        with pytest.raises(InternalError, match="no"):
            await replays.follow("me", "r", REQUEST, fail, lambda message: asyncio.sleep(0))


async def test_more_than_is_kept_cannot_be_begun_again(replays: Replays) -> None:
    done = asyncio.Event()

    async def flood(write: Write) -> None:
        for _ in range(4):
            await write(b"x" * 1000)
            await asyncio.sleep(0)
        await done.wait()

    async def take(message: bytes) -> None: ...

    first = asyncio.ensure_future(replays.follow("me", "r", REQUEST, flood, take))
    for _ in range(20):
        await asyncio.sleep(0)
    with pytest.raises(InvalidRequestError) as caught:
        await replays.follow("me", "r", REQUEST, flood, take)
    assert caught.value.reason is Reason.EVENTS_EXPIRED
    done.set()
    await first
