"""How many calls a sidecar gets at once, and who waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from mediaconduit.errors import ExhaustedError

RETRY_SECONDS = 1.0


class Admission:
    """Places of one provider, in order of arrival, with a bounded queue.

    Args:
        queue_length: Calls that may wait; one more is refused.
    """

    def __init__(self, queue_length: int) -> None:
        self.active = 0
        self.waits = 0
        """Calls that had to wait, in all."""
        self.waited_seconds = 0.0
        """Seconds they waited, in all."""
        self.last_left = time.monotonic()
        """When a call last ended."""
        self._queue_length = queue_length
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def queued(self) -> int:
        """Calls that wait now."""
        return len(self._waiting)

    async def enter(self, limit: int) -> None:
        """Takes a place; waits for one when all `limit` are taken. 0 = no limit.

        Raises:
            ExhaustedError: OVERLOADED: the queue is full.
        """
        if not limit or (self.active < limit and not self._waiting):
            self.active += 1
            return
        if len(self._waiting) >= self._queue_length:
            raise ExhaustedError(
                f"all {limit} places are taken and {len(self._waiting)} calls wait already",
                metadata={"limit": str(limit), "queued": str(len(self._waiting))},
                retry_after=RETRY_SECONDS,
                hint="try again a little later",
            )
        await self._wait()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        arrived = time.monotonic()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came together with the cancellation: it is the next one's
            else:
                self._waiting.remove(turn)
            raise
        self.waits += 1
        self.waited_seconds += time.monotonic() - arrived

    def leave(self) -> None:
        """Gives the place to the first that waits, or back."""
        self.last_left = time.monotonic()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # `active` stays as it is: the place changes hands
                return
        self.active -= 1
