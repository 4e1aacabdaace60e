"""Tasks that have an owner. The only module that may call ``asyncio.create_task``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


def start(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Starts a task whose caller ends it with `cancel_and_join`."""
    return asyncio.create_task(coroutine, name=name)  # noqa: TID251


async def cancel_and_join(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks once and waits until they ended, also when the caller is cancelled meanwhile.

    A cancellation of the caller that comes during the wait is raised when all have ended. What the tasks raised is
    not: whoever wants it asks ``task.exception()``.
    """
    for task in tasks:
        task.cancel()
    await join(*tasks)


async def join(*tasks: asyncio.Future[Any]) -> None:
    """Waits until all tasks ended, whatever happens to the caller meanwhile; then raises its cancellation."""
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # retrieved, so that nothing is reported when the task is collected
    if cancelled is not None:
        raise cancelled


class TaskOwner:
    """Owns background tasks of one object: ends them with it, logs what they raise.

    Unlike ``asyncio.TaskGroup`` one that fails does not end the others: each is a concern of its own.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Starts a task that this owner ends."""
        task = start(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task %s failed", task.get_name(), exc_info=error)

    async def aclose(self) -> None:
        """Cancels all and returns when the last has ended."""
        await cancel_and_join(*self._tasks)

    async def join(self) -> None:
        """Returns when all have ended by themselves."""
        while self._tasks:
            ended = tuple(self._tasks)
            await join(*ended)
            # One that ended a moment ago has its callback still to come, and nothing here would wait for that.
            self._tasks.difference_update(ended)


async def unless(event: asyncio.Event, coroutine: Awaitable[T]) -> T | None:
    """What the coroutine gives; None when the event comes first, and the coroutine is cancelled."""
    work = start(_awaited(coroutine), name="work unless an event comes")
    stop = start(event.wait(), name="the event that ends work")
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        await cancel_and_join(work, stop)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def shielded(coroutine: Coroutine[Any, Any, T], *, timeout: float, name: str) -> T | None:
    """Runs clean-up to its end even when the caller is cancelled, for at most `timeout` seconds."""
    task = start(coroutine, name=name)
    deadline = asyncio.get_running_loop().call_later(timeout, task.cancel)
    try:
        await join(task)
    finally:
        deadline.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return task.result()
    return None
