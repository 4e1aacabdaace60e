from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider import threads
from mediaconduit_provider.threads import ThreadSource


async def everything(source: ThreadSource) -> list[Any]:
    found: list[Any] = []
    try:
        while batch := await source.take():
            found += batch
    finally:
        await source.aclose()
    return found


async def test_items_come_in_order_from_another_thread() -> None:
    names: set[str] = set()

    def numbers() -> Iterator[int]:
        names.add(threading.current_thread().name)
        yield from range(1000)

    assert await everything(ThreadSource(numbers, name="author")) == list(range(1000))
    assert names == {"author"}


async def test_what_the_iterable_raises_comes_after_what_it_gave() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        raise SystemExit(3)

    source = ThreadSource(breaks, name="author")
    assert await source.take() == [1]
    with pytest.raises(SystemExit):
        await source.take()
    await source.aclose()


async def test_a_thread_is_only_so_far_ahead() -> None:
    given = 0

    def endless() -> Iterator[int]:
        nonlocal given
        while True:
            given += 1
            yield given

    source = ThreadSource(endless, name="author")
    first = await source.take()
    for _ in range(50):
        await asyncio.sleep(0)
    assert given <= len(first) + 65
    await source.aclose()


async def test_closing_ends_the_generator_at_its_next_yield_in_its_own_thread() -> None:
    closed: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    source = ThreadSource(endless, name="author")
    await source.take()
    await source.aclose()
    assert closed == ["author"]


async def test_closing_waits_for_code_that_blocks_also_when_cancelled() -> None:
    blocked, go = threading.Event(), threading.Event()

    def blocks() -> Iterator[int]:
        yield 1
        blocked.set()
        go.wait()
        yield 2

    source = ThreadSource(blocks, name="author")
    await source.take()
    await asyncio.to_thread(blocked.wait)
    closing = start(source.aclose(), name="closing")
    await asyncio.sleep(0)
    ending = start(cancel_and_join(closing), name="ending")
    await asyncio.sleep(0)
    assert not ending.done()
    go.set()
    await ending
    assert closing.cancelled()


async def test_the_thread_sees_the_context_of_the_call() -> None:
    trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="none")
    trace.set("this call")
    assert await everything(ThreadSource(lambda: [trace.get()], name="author")) == ["this call"]


async def test_functions_of_either_kind_are_called_and_their_errors_raised() -> None:
    called: list[Any] = []

    async def on_the_loop(value: int) -> None:
        called.append((value, threading.current_thread() is threading.main_thread()))

    def in_a_thread(value: int) -> None:
        called.append((value, threading.current_thread() is threading.main_thread()))
        if value == 3:
            raise ValueError("three")

    await threads_call(on_the_loop, 1)
    await threads_call(in_a_thread, 2)
    with pytest.raises(ValueError, match="three"):
        await threads_call(in_a_thread, 3)
    assert called == [(1, True), (2, False), (3, False)]


async def threads_call(function: Any, value: int) -> None:
    await threads.call(function, value, name="author")
