"""Work that several wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from mediaconduit import tasks

T = TypeVar("T")

Report = Callable[[str, float | None], None]
"""Told what is being done, and which share of it is done where that is known."""


def silent(message: str, fraction: float | None) -> None:
    """Tells nobody."""


class _Work(Generic[T]):
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.task: asyncio.Task[T] | None = None

    def report(self, message: str, fraction: float | None) -> None:
        for report in tuple(self.reports):
            report(message, fraction)


class SharedWork(Generic[T]):
    """Does work of one key once, however many ask for it meanwhile, and ends it when the last of them has left."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Work[T]] = {}

    async def join(
        self, key: Hashable, start: Callable[[Report], Coroutine[Any, Any, T]], report: Report = silent
    ) -> T:
        """What the work gives or raises; started when nobody does it yet."""
        work = self._running.get(key)
        if work is None:
            work = self._running[key] = _Work()
            work.task = tasks.start(start(work.report), name=f"shared work on {key}")
            work.task.add_done_callback(lambda _, done=work: self._forget(key, done))  # type: ignore[misc]
        assert work.task is not None
        work.reports.append(report)
        try:
            return await asyncio.shield(work.task)
        finally:
            work.reports.remove(report)
            if not work.reports and not work.task.done():
                self._forget(key, work)
                await tasks.cancel_and_join(work.task)

    async def aclose(self) -> None:
        """Ends all of it."""
        await tasks.cancel_and_join(*(work.task for work in self._running.values() if work.task is not None))

    def _forget(self, key: Hashable, work: _Work[T]) -> None:
        if self._running.get(key) is work:
            del self._running[key]
