"""Asks running providers again which models they have."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mediaconduit import tasks
from mediaconduit.errors import MediaConduitError

from mediaconduit_broker.supervision.instance import Instance
from mediaconduit_broker.supervision.lifecycle import State
from mediaconduit_broker.supervision.supervisor import Supervisor

_FIRST: Final = 0.5
"""Seconds until a provisional list is asked for again; twice as long every time after."""
_LONGEST: Final = 300.0
"""The longest of them, where nothing shorter is configured."""
_PATIENCE: Final = 5.0
"""Seconds a provider may take to answer: others are not kept waiting by one that does not."""


@dataclass(slots=True)
class Look:
    """When a sidecar is asked again."""

    instance: Instance
    due: float
    """Monotonic time."""
    wait: float
    """Seconds until the next look after this, while its list is provisional."""


@dataclass(slots=True)
class Looks:
    """Looks at all providers' models, one task for all of them. `run` until cancelled.

    A provider asks its vendor when it likes, and no event tells of it: so it is asked, seldom. What it has before its
    vendor has answered is provisional, and soon replaced: then it is asked soon, and ever later.

    Args:
        supervisors: Those there are now.
        ask: Asks one for its models and remembers them.
        seconds: Between two looks; 0 = at what is provisional alone.
    """

    supervisors: Callable[[], Sequence[Supervisor]]
    ask: Callable[[Supervisor], Awaitable[None]]
    seconds: float
    _looks: dict[Supervisor, Look] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """A provider has become ready, or has another list."""
        self._news.set()

    async def run(self) -> None:
        """Never returns by itself."""
        while True:
            self._news.clear()
            due = self._due(time.monotonic())
            asked = [tasks.start(self._look(one), name=f"list models of {one.spec.provider_id}") for one in due]
            try:
                if asked:
                    await asyncio.wait(asked, timeout=_PATIENCE)
            finally:
                await tasks.cancel_and_join(*asked)
            next_look = min((look.due for look in self._looks.values()), default=float("inf"))
            left = next_look - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if left == float("inf") else max(left, 0)):
                    await self._news.wait()

    def _due(self, now: float) -> list[Supervisor]:
        """Those to be asked now; forgets those that do not run."""
        kept: dict[Supervisor, Look] = {}
        for supervisor in self.supervisors():
            instance = supervisor.instance
            if supervisor.state is not State.READY or instance is None:
                continue
            look = self._looks.get(supervisor)
            if look is None or look.instance is not instance:
                look = Look(instance, now, _FIRST)
                self._plan(look, now)
            kept[supervisor] = look
        self._looks = kept
        return [supervisor for supervisor, look in kept.items() if look.due <= now]

    async def _look(self, supervisor: Supervisor) -> None:
        # One that cannot tell now is asked again at the next look.
        try:
            with contextlib.suppress(MediaConduitError):
                await self.ask(supervisor)
        finally:
            if (look := self._looks.get(supervisor)) is not None:
                self._plan(look, time.monotonic())

    def _plan(self, look: Look, now: float) -> None:
        if look.instance.provisional:
            look.due, look.wait = now + look.wait, min(look.wait * 2, self.seconds or _LONGEST)
        else:
            look.due, look.wait = now + (self.seconds or float("inf")), _FIRST
