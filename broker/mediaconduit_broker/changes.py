"""What happens to providers, for whoever watches them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mediaconduit_broker.environments import BuildStep
from mediaconduit_broker.supervision import Supervisor

Report = Callable[[BuildStep], None]


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a provider is new."""

    supervisor: Supervisor
    step: BuildStep | None
    """A step of its build; None when its state changed."""
    removed: bool = False


class Changes:
    """Changes for one watcher. One that is slow gets the last of each provider, and nothing piles up.

    Args:
        wanted: Whether a change of this one is any of the watcher's business; None = all are.
    """

    def __init__(self, wanted: Callable[[Supervisor], bool] | None = None) -> None:
        self._wanted = wanted
        self._pending: dict[str, Change | BuildStep] = {}
        self._news = asyncio.Event()

    def put(self, change: Change) -> None:
        """Adds a change, in place of an older one of the same provider."""
        if self._wanted is None or self._wanted(change.supervisor):
            self._put(change.supervisor.spec.provider_id, change)

    def put_step(self, step: BuildStep) -> None:
        """Adds a step of a load that has no supervisor yet."""
        self._put("", step)

    async def get(self) -> Change:
        """The oldest change; waits for it."""
        while not isinstance(news := await self.get_any(), Change):
            pass
        return news

    async def get_any(self) -> Change | BuildStep:
        """The oldest change or step; waits for it."""
        while not self._pending:
            self._news.clear()
            await self._news.wait()
        return self._pending.pop(next(iter(self._pending)))

    def _put(self, name: str, news: Change | BuildStep) -> None:
        self._pending.pop(name, None)
        self._pending[name] = news
        self._news.set()
