"""Heavy work in turns: builds and starts take whole processors, and calls in progress need some of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Turns:
    """Lets so many go at a time: first those that somebody waits for in a call, else in order of arrival.

    Args:
        count: How many; 0 = half as many as there are processors, which leaves the others to calls.
        longest: Seconds after which a turn is passed on although its holder goes on: what takes long mostly waits for
            something else than a processor, and must not hold up all others. None = never.
    """

    def __init__(self, count: int = 0, *, longest: float | None = None) -> None:
        self._free = count or max(1, processors() // 2)
        self._longest = longest
        self._waiting: list[_Waiting] = []

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def take(
        self, *, urgent: Callable[[], bool] = lambda: False, told: Callable[[int], None] = lambda before: None
    ) -> Turn:
        """Waits for a turn, which the caller ends.

        Args:
            urgent: Asked whenever a turn is free: whether this one goes before those that are not.
            told: Of how many are before this one, at first and each time these have become half as many: whoever
                waits behind a hundred need not hear of each. Not when nobody has to wait.
        """
        if self._free and not self._waiting:
            return self._given()
        mine = _Waiting(asyncio.get_running_loop().create_future(), urgent, told)
        self._waiting.append(mine)
        mine.tell(len(self._waiting) - 1)
        try:
            return await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
                self._tell()
            elif not mine.turn.cancelled():
                mine.turn.result().end()  # it came together with the cancellation
            raise

    def _given(self) -> Turn:
        self._free -= 1
        return Turn(self._back, self._longest)

    def _back(self) -> None:
        self._free += 1
        while self._free and self._waiting:
            first = next((one for one in self._waiting if one.urgent()), self._waiting[0])
            self._waiting.remove(first)
            if not first.turn.done():
                first.turn.set_result(self._given())
        self._tell()

    def _tell(self) -> None:
        for before, one in enumerate(self._waiting):
            one.tell(before)


class Turn:
    """The right to go. Ends with its block, or before."""

    def __init__(self, back: Callable[[], None], longest: float | None) -> None:
        self._back: Callable[[], None] | None = back
        self._timer = asyncio.get_running_loop().call_later(longest, self.end) if longest is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Passes it on. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        back, self._back = self._back, None
        if back is not None:
            back()


class _Waiting:
    """One in the queue."""

    __slots__ = ("_last", "_told", "turn", "urgent")

    def __init__(self, turn: asyncio.Future[Turn], urgent: Callable[[], bool], told: Callable[[int], None]) -> None:
        self.turn = turn
        self.urgent = urgent
        self._told = told
        self._last: int | None = None

    def tell(self, before: int) -> None:
        """So many are before it."""
        if self._last is None or before <= self._last // 2 < self._last:
            self._last = before
            self._told(before)


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
