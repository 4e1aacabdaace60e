from __future__ import annotations

import asyncio

import pytest
from mediaconduit.errors import ExhaustedError
from mediaconduit_provider.concurrency import Calls


async def forever() -> None:
    await asyncio.Event().wait()


async def ignores_cancel(go: asyncio.Event) -> None:
    while not go.is_set():
        try:
            await go.wait()
        except asyncio.CancelledError:
            continue


async def test_places_are_counted_and_given_back() -> None:
    calls = Calls(lambda: 2, stuck_after=60)
    tasks = [calls.start(forever(), name="call") for _ in range(2)]
    with pytest.raises(ExhaustedError) as raised:
        calls.check()
    assert raised.value.metadata["limit"] == "2" and raised.value.retry_after
    calls.cancel(tasks[0])
    await asyncio.wait(tasks[:1])
    calls.check()
    assert calls.active == 1
    calls.cancel_all()
    await calls.drained()
    assert calls.active == 0


async def test_no_limit_is_no_limit() -> None:
    calls = Calls(lambda: 0, stuck_after=60)
    for _ in range(100):
        calls.check()
        calls.start(forever(), name="call")
    calls.cancel_all()
    await calls.drained()


async def test_a_call_that_ignores_its_cancel_is_stuck_until_it_comes_back() -> None:
    calls, go = Calls(lambda: 1, stuck_after=0), asyncio.Event()
    task = calls.start(ignores_cancel(go), name="call")
    await asyncio.sleep(0)
    calls.cancel(task)
    calls.cancel(task)
    while not calls.stuck:  # noqa: ASYNC110 - until the timer ran
        await asyncio.sleep(0)
    assert (calls.active, task.cancelling()) == (1, 1), "cancelled once"
    with pytest.raises(ExhaustedError, match="1 of them cancelled but still blocked"):
        calls.check()
    go.set()
    await calls.drained()
    assert calls.stuck == 0


async def test_a_call_that_ends_in_time_is_never_stuck() -> None:
    calls = Calls(lambda: 1, stuck_after=0)
    calls.cancel(calls.start(forever(), name="call"))
    await calls.drained()
    await asyncio.sleep(0.001)
    assert calls.stuck == 0
