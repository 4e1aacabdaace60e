"""Who waits for a provider to be ready."""

from __future__ import annotations

import asyncio

from mediaconduit.errors import MediaConduitError


class Waiters:
    """Loads and calls that wait."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], bool] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def calls(self) -> bool:
        """Whether a call is among them, not loads alone."""
        return not all(self._waiting.values())

    def add(self, *, explicit: bool) -> asyncio.Future[None]:
        """One more: a load, with `explicit`, or a call. To be awaited by `wait`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = explicit
        return waiter

    async def wait(self, waiter: asyncio.Future[None]) -> None:
        """Returns when it is ready.

        Raises:
            MediaConduitError: Why it will not be.
        """
        try:
            await waiter
        finally:
            del self._waiting[waiter]

    def resolve(self, error: MediaConduitError | None = None) -> None:
        """Tells all: it is ready, or why it will not be."""
        for waiter in self._waiting:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)
