import asyncio

import pytest
from mediaconduit_broker.sources.sharing import Report, SharedWork, silent


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.starts = 0
        self.cancelled = 0
        self.report: Report = silent
        self.error: Exception | None = None

    async def __call__(self, report: Report) -> int:
        self.starts += 1
        self.report = report
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.starts


async def test_all_who_ask_get_what_is_done_once_and_hear_of_its_steps() -> None:
    shared, work = SharedWork[int](), Work()
    heard: list[list[str]] = [[], []]
    asked = [
        asyncio.ensure_future(shared.join("key", work, lambda message, _, kept=kept: kept.append(message)))
        for kept in heard
    ]
    await work.begun.wait()
    await asyncio.sleep(0)
    work.report("a step", None)
    work.go.set()
    assert await asyncio.gather(*asked) == [1, 1]
    assert heard == [["a step"], ["a step"]]


async def test_a_failure_is_everybodys_and_the_next_one_tries_again() -> None:
    shared, work = SharedWork[int](), Work()
    work.go.set()
    work.error = ValueError("no")
    results = await asyncio.gather(*(shared.join("key", work) for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    work.error = None
    assert await shared.join("key", work) == 2


async def test_the_last_who_leaves_ends_it_and_not_the_first() -> None:
    shared, work = SharedWork[int](), Work()
    first, last = (asyncio.ensure_future(shared.join("key", work)) for _ in range(2))
    await work.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert work.cancelled == 0
    last.cancel()
    with pytest.raises(asyncio.CancelledError):
        await last
    assert work.cancelled == 1
    work.go.set()
    assert await shared.join("key", work) == 2, "who comes later begins anew"


async def test_closing_ends_all_of_it() -> None:
    shared, work = SharedWork[int](), Work()
    asked = asyncio.ensure_future(shared.join("key", work))
    await work.begun.wait()
    await shared.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert work.cancelled == 1
