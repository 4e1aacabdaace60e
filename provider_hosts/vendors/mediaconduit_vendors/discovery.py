"""Which models there are: asked once, kept for a while, asked again in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from mediaconduit.errors import MediaConduitError
from mediaconduit.tasks import TaskOwner
from mediaconduit_provider import Model

FIRST_WAIT: Final = 2.0
"""Seconds that the first caller waits for the vendor's list before it gets what is known without it."""
AFTER_FAILURE: Final = 30.0
"""Seconds until a vendor that could not give its list is asked again."""

_log = logging.getLogger(__name__)


class Discovery:
    """The models of a vendor, for all capabilities and all callers of one key.

    Args:
        ask: Asks the vendor.
        known: What is known without asking.
        lifetime: Seconds a list stays fresh; an older one is given while a new one is fetched.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Sequence[Model]]], known: Callable[[], Sequence[Model]], lifetime: float
    ) -> None:
        self._ask = ask
        self._known = known
        self._lifetime = lifetime
        self._models: Sequence[Model] | None = None
        self._fresh_until = 0.0
        self._asking: asyncio.Task[Sequence[Model] | MediaConduitError] | None = None
        self._tasks = TaskOwner()

    @property
    def answered(self) -> bool:
        """Whether the vendor has ever said what there is."""
        return self._models is not None

    async def aclose(self) -> None:
        """Ends what is under way."""
        await self._tasks.aclose()

    async def models(self, *, refresh: bool) -> Sequence[Model]:
        """The models.

        Args:
            refresh: Ask the vendor now, and raise what that raises.
        """
        if refresh:
            found = await asyncio.shield(self._fetch())
            if isinstance(found, MediaConduitError):
                raise found
            return found
        if time.monotonic() >= self._fresh_until:
            await self._refreshed()
        return self._models if self._models is not None else self._known()

    async def _refreshed(self) -> None:
        """Waits a little for the first list, and not at all for a newer one."""
        asking = self._fetch()
        if self._models is not None:
            return
        await asyncio.wait({asking}, timeout=FIRST_WAIT)

    def _fetch(self) -> asyncio.Task[Sequence[Model] | MediaConduitError]:
        if self._asking is None or self._asking.done():
            self._asking = self._tasks.start(self._asked(), name="model discovery")
        return self._asking

    async def _asked(self) -> Sequence[Model] | MediaConduitError:
        try:
            models = await self._ask()
        except MediaConduitError as error:
            self._fresh_until = time.monotonic() + AFTER_FAILURE
            _log.warning("the vendor's models could not be listed: %s", error.message)
            return error
        # The same list stays the same object: whoever indexed it need not do so again.
        if self._models is None or list(models) != list(self._models):
            self._models = tuple(models)
        self._fresh_until = time.monotonic() + self._lifetime
        return self._models
