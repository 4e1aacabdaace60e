"""Authors' plain generators, run in a thread of their own so that they may block."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final

_BATCH_LIMIT: Final = 64
"""Items an author's thread may be ahead of the loop."""


async def call(function: Callable[..., Any], *args: Any, name: str) -> None:
    """Calls an author's function: a coroutine function on the loop, any other in a thread of its own.

    The thread is a daemon: one that never comes back does not keep the process.
    """
    if inspect.iscoroutinefunction(function):
        await function(*args)
        return
    source = ThreadSource(lambda: (function(*args),), name=name)
    try:
        while await source.take():
            pass
    finally:
        await source.aclose()


class ThreadSource:
    """Runs an iterable in a thread and gives what it yields, a batch at a time.

    `take` gives an empty list at the end and raises what the iterable raised. `aclose` closes a generator at its next
    yield and returns when the thread has ended, which takes as long as the author's code blocks.
    """

    def __init__(self, make: Callable[[], Any], *, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._make = make
        self._condition = threading.Condition()
        self._items: list[Any] = []
        self._notified = False
        self._closing = False
        self._ended = False
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._run,), name=name, daemon=True
        )
        self._thread.start()

    async def take(self) -> list[Any]:
        """What came since the last time; waits for the first of it."""
        while True:
            await self._news.wait()
            self._news.clear()
            with self._condition:
                items, self._items, self._notified = self._items, [], False
                self._condition.notify()
                ended = self._ended
            if items or ended:
                break
        if ended:
            self._news.set()
            if not items and self._error is not None:
                raise self._error
        return items

    async def aclose(self) -> None:
        """Ends the thread at its next yield and waits for it, also when cancelled meanwhile."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        cancelled: asyncio.CancelledError | None = None
        while not self._ended:
            try:
                await self._news.wait()
                self._news.clear()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._iterate()
        except BaseException as raised:  # everything goes to whoever takes, SystemExit included
            error = raised
        with self._condition:
            self._error = error
            self._ended = True
        self._wake()

    def _iterate(self) -> None:
        iterator = iter(self._make())
        try:
            for item in iterator:
                if not self._offer(item):
                    return
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _offer(self, item: Any) -> bool:
        with self._condition:
            if self._closing:
                return False
            self._items.append(item)
            wake, self._notified = not self._notified, True
        if wake:
            self._wake()
        if len(self._items) >= _BATCH_LIMIT:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or len(self._items) < _BATCH_LIMIT)
        return not self._closing

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has everyone who would listen
            self._loop.call_soon_threadsafe(self._news.set)
