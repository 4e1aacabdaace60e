"""How many calls run at once, and which of them did not come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mediaconduit.errors import ExhaustedError
from mediaconduit.tasks import TaskOwner


class Calls:
    """Owns the tasks of running calls. Each holds a place until its code came back, stuck ones included."""

    def __init__(self, limit: Callable[[], int], *, stuck_after: float) -> None:
        self._limit = limit
        self._stuck_after = stuck_after
        self._owner = TaskOwner()
        self._running: set[asyncio.Task[None]] = set()
        self._cancelled: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def active(self) -> int:
        """Calls that hold a place."""
        return len(self._running)

    @property
    def stuck(self) -> int:
        """Cancelled calls whose code has not come back."""
        return len(self._stuck)

    def check(self) -> None:
        """Raises `ExhaustedError` when every place is taken."""
        limit = self._limit()
        if limit and len(self._running) >= limit:
            stuck = f", {self.stuck} of them cancelled but still blocked" if self._stuck else ""
            raise ExhaustedError(
                f"all {limit} places of this provider are taken{stuck}",
                hint="try again later, or raise the provider's max_concurrency",
                metadata={"limit": str(limit), "stuck": str(self.stuck)},
                retry_after=1.0,
            )

    def start(self, coroutine: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Runs a call in a place of its own. `check` first."""
        task = self._owner.start(coroutine, name=name)
        self._running.add(task)
        self._idle.clear()
        task.add_done_callback(self._ended)
        return task

    def cancel(self, task: asyncio.Task[None]) -> None:
        """Cancels a call, once; it keeps its place until it has ended."""
        if task.done() or task in self._cancelled:
            return
        self._cancelled.add(task)
        task.cancel()
        task.get_loop().call_later(self._stuck_after, self._still_there, task)

    def cancel_all(self) -> None:
        """Cancels every call that is running."""
        for task in list(self._running):
            self.cancel(task)

    async def drained(self) -> None:
        """Returns when none is running. May be cancelled."""
        await self._idle.wait()

    def _still_there(self, task: asyncio.Task[None]) -> None:
        if not task.done():
            self._stuck.add(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._cancelled.discard(task)
        self._stuck.discard(task)
        if not self._running:
            self._idle.set()
