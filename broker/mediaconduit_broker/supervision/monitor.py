"""Looks after sidecars that run: whether they answer, whether anybody needs them, what they weigh.

What a process does by itself (it ends) is an event and no business of the monitor. What it fails to do has to be asked
for: idle sidecars seldom, busy ones often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from mediaconduit import tasks

from mediaconduit_broker.supervision.instance import Instance
from mediaconduit_broker.supervision.lifecycle import State
from mediaconduit_broker.supervision.supervisor import Supervisor

_log = structlog.get_logger(__name__)

_STUCK_AFTER: Final = 2.0
"""Seconds after its cancel from which a host counts a call as stuck."""
_AT_ONCE: Final = 8
"""Checks under way at once: many slow ones must not delay the others, nor many fast ones flood the loop."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds."""

    idle: float = 30.0
    """Between checks of a sidecar without calls."""
    busy: float = 2.0
    """Between checks of one with calls; also how long a check may take."""
    stuck: float = 30.0
    """How long a cancelled call may hold its place before its sidecar is replaced."""


@dataclass(slots=True)
class Watched:
    """What the monitor remembers of one sidecar."""

    instance: Instance
    looked: float
    due: float
    misses: int = 0
    stuck_since: float | None = None


@dataclass(slots=True)
class Monitor:
    """Checks all sidecars, one task for all of them. `run` until cancelled.

    Args:
        supervisors: Those there are now.
        pace: How often.
        memory_limit: Bytes all sidecars may have together; 0 = no limit.
    """

    supervisors: Callable[[], Sequence[Supervisor]]
    pace: Pace
    memory_limit: int = 0
    _watched: dict[Supervisor, Watched] = field(default_factory=dict)

    async def run(self) -> None:
        """Never returns by itself."""
        while True:
            now = time.monotonic()
            due = [supervisor for supervisor in self._running(now) if self._due(supervisor, now)]
            for start in range(0, len(due), _AT_ONCE):
                checks = [
                    tasks.start(self._check(supervisor), name=f"check {supervisor.spec.provider_id}")
                    for supervisor in due[start : start + _AT_ONCE]
                ]
                try:
                    await asyncio.wait(checks)
                finally:
                    await tasks.cancel_and_join(*checks)
            if self.memory_limit and due:
                await self._relieve()
            # Calls begin and end between two looks; a look that finds nothing due costs microseconds.
            await asyncio.sleep(self.pace.busy / 2)

    def _running(self, now: float) -> list[Supervisor]:
        """Those with a READY sidecar; forgets all others."""
        running = [s for s in self.supervisors() if s.state is State.READY and s.instance is not None]
        kept: dict[Supervisor, Watched] = {}
        for supervisor in running:
            watched = self._watched.get(supervisor)
            if watched is None or watched.instance is not supervisor.instance:
                assert supervisor.instance is not None
                watched = Watched(supervisor.instance, now, now + self.pace.busy)
            kept[supervisor] = watched
        self._watched = kept
        return running

    def _due(self, supervisor: Supervisor, now: float) -> bool:
        watched = self._watched[supervisor]
        # A call that came since the last look brings the next one forward.
        return now >= watched.due or (bool(supervisor.active_calls) and now - watched.looked >= self.pace.busy)

    async def _check(self, supervisor: Supervisor) -> None:
        watched = self._watched[supervisor]
        began = time.monotonic()
        answers = await watched.instance.healthy(self.pace.busy)
        if supervisor.instance is not watched.instance:
            return  # it was replaced meanwhile
        watched.misses = 0 if answers else watched.misses + 1
        if watched.misses >= 2:
            supervisor.unhealthy("the sidecar does not answer its health checks")
            return
        if answers:
            await self._look_for_stuck(supervisor, watched, began)
            self._let_rest(supervisor, began)
        eager = supervisor.active_calls or watched.misses or watched.stuck_since is not None
        watched.looked, watched.due = began, began + (self.pace.busy if eager else self.pace.idle)

    async def _look_for_stuck(self, supervisor: Supervisor, watched: Watched, now: float) -> None:
        """Asks a sidecar that has had calls lately whether one of them does not end."""
        lately = now - supervisor.admission.last_left < 2 * (self.pace.idle + _STUCK_AFTER)
        if not (supervisor.active_calls or watched.stuck_since is not None or lately):
            return
        if not await watched.instance.describes_again(self.pace.busy):
            return
        if not watched.instance.description.stuck_calls:
            watched.stuck_since = None
        elif watched.stuck_since is None:
            watched.stuck_since = now
        elif now - watched.stuck_since >= self.pace.stuck:
            supervisor.unhealthy("a cancelled call did not end")

    def _let_rest(self, supervisor: Supervisor, now: float) -> None:
        limit, since = supervisor.spec.idle_timeout, supervisor.idle_since
        if limit and since is not None and not supervisor.spec.pinned and now - since >= limit:
            _log.info("idle", provider=supervisor.spec.provider_id, seconds=round(now - since))
            supervisor.rest()

    async def _relieve(self) -> None:
        """Stops those needed least, until the rest fits."""
        weights = {s: await asyncio.to_thread(w.instance.sidecar.memory_bytes) for s, w in self._watched.items()}
        for supervisor in to_evict(list(weights.items()), self.memory_limit):
            _log.warning("memory is short", provider=supervisor.spec.provider_id, bytes=weights[supervisor])
            supervisor.rest()


def to_evict(weights: Sequence[tuple[Supervisor, int]], limit: int) -> list[Supervisor]:
    """Which sidecars stop so that the others weigh at most `limit` bytes: of those nobody uses and that are not pinned,
    the ones of the lowest priority, and of these the least recently used. Fewer where there are not enough of them.
    """
    excess = sum(weight for _, weight in weights) - limit
    candidates = [(s, weight) for s, weight in weights if s.idle_since is not None and not s.spec.pinned]
    candidates.sort(key=lambda pair: (pair[0].spec.priority, pair[0].idle_since))
    chosen = []
    for supervisor, weight in candidates:
        if excess <= 0:
            break
        chosen.append(supervisor)
        excess -= weight
    return chosen
