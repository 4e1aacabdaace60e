import asyncio
import random

import pytest
from mediaconduit.errors import ExhaustedError, Reason
from mediaconduit_broker.supervision.admission import Admission


async def queued(admission: Admission, limit: int, count: int = 1) -> list[asyncio.Task[None]]:
    tasks = [asyncio.ensure_future(admission.enter(limit)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_without_a_limit_nobody_waits() -> None:
    admission = Admission(0)
    for _ in range(1000):
        await admission.enter(0)
    assert admission.active == 1000


async def test_places_go_to_those_who_wait_in_order() -> None:
    admission = Admission(10)
    await admission.enter(1)
    first, second = await queued(admission, 1, 2)
    admission.leave()
    await first
    assert not second.done()
    admission.leave()
    await second
    admission.leave()
    assert (admission.active, admission.queued, admission.waits) == (0, 0, 2)


async def test_a_full_queue_refuses_and_says_when_to_try_again() -> None:
    admission = Admission(1)
    await admission.enter(1)
    (waiting,) = await queued(admission, 1)
    with pytest.raises(ExhaustedError) as caught:
        await admission.enter(1)
    assert (caught.value.reason, caught.value.metadata["limit"]) == (Reason.OVERLOADED, "1")
    assert caught.value.retry_after
    admission.leave()
    await waiting


async def test_who_leaves_the_queue_gives_up_no_place() -> None:
    admission = Admission(5)
    await admission.enter(1)
    left, stays = await queued(admission, 1, 2)
    left.cancel()
    await asyncio.wait([left])
    admission.leave()
    await stays
    assert (admission.active, admission.queued) == (1, 0)


async def test_a_place_that_comes_with_a_cancellation_goes_on_to_the_next() -> None:
    admission = Admission(5)
    await admission.enter(1)
    cancelled, stays = await queued(admission, 1, 2)
    admission.leave()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await stays
    assert admission.active == 1


async def test_no_place_is_ever_lost_or_given_twice(rng: random.Random) -> None:
    admission, limit, inside = Admission(1000), 3, 0

    async def call() -> None:
        nonlocal inside
        await admission.enter(limit)
        inside += 1
        try:
            assert inside <= limit
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            admission.leave()

    calls = [asyncio.ensure_future(call()) for _ in range(300)]
    for _ in range(60):
        await asyncio.sleep(0)
        rng.choice(calls).cancel()
    await asyncio.wait(calls)
    assert (inside, admission.active, admission.queued) == (0, 0, 0)
