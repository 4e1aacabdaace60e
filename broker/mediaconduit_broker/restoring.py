"""Providers that come back with the broker: until each is there, whoever needs it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from mediaconduit.errors import MediaConduitError, UnavailableError


@dataclass(frozen=True, slots=True)
class _Entry:
    """One that is coming back."""

    load: asyncio.Task[None]
    known: asyncio.Event
    """It has a supervisor, whose calls wait for the rest; or it failed before."""
    timeout: float


@dataclass(slots=True)
class Restoring:
    """Which providers of before are not back yet, and which failed before anything could be known of them."""

    _entries: dict[str, _Entry] = field(default_factory=dict)
    _failed: dict[str, MediaConduitError] = field(default_factory=dict)

    def begin(self, provider_id: str, load: asyncio.Task[None], timeout: float) -> None:
        """It is being loaded.

        Args:
            provider_id: Which.
            load: Ends when it is ready, or has failed.
            timeout: Seconds for which a call waits until something is known of it.
        """
        self._entries[provider_id] = _Entry(load, asyncio.Event(), timeout)
        load.add_done_callback(lambda _: self._ended(provider_id))

    def known(self, provider_id: str) -> None:
        """It has a supervisor."""
        self._failed.pop(provider_id, None)
        if (entry := self._entries.get(provider_id)) is not None:
            entry.known.set()

    def _ended(self, provider_id: str) -> None:
        self._entries.pop(provider_id).known.set()

    def failed(self, provider_id: str, error: MediaConduitError) -> None:
        """It failed before it had a supervisor."""
        self._failed[provider_id] = error

    def forget(self, provider_id: str) -> bool:
        """It is not wanted any more; gives whether it was one that had failed."""
        return self._failed.pop(provider_id, None) is not None

    @property
    def names(self) -> list[str]:
        """Those that are not back, and may never be."""
        return sorted({*self._entries, *self._failed})

    async def wait_for(self, provider_id: str) -> None:
        """Waits until something is known of it; returns at once for one that does not come back.

        Raises:
            UnavailableError: PROVIDER_NOT_READY: it takes too long, or has failed.
        """
        entry = self._entries.get(provider_id)
        if entry is not None:
            try:
                async with asyncio.timeout(entry.timeout):
                    await entry.known.wait()
            except TimeoutError:
                raise _still_missing(provider_id) from None
        if (error := self._failed.get(provider_id)) is not None:
            raise UnavailableError(
                f"provider {provider_id} did not come back with the broker: {error.message}",
                metadata={"state": "FAILED", "why": error.message},
                hint=error.hint or f"load it again, or `mediaconduit provider rm {provider_id}`",
            )

    async def wait_for_any(self, timeout: float) -> bool:
        """Waits until one more is back, or has failed; False when there is none to wait for.

        Raises:
            UnavailableError: PROVIDER_NOT_READY: it takes too long.
        """
        loads = [entry.load for entry in self._entries.values()]
        if not loads:
            return False
        done, _ = await asyncio.wait(loads, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise _still_missing(", ".join(sorted(self._entries)))
        return True


def _still_missing(names: str) -> UnavailableError:
    return UnavailableError(
        f"not back yet since the broker started: {names}",
        metadata={"state": "INSTALLING", "why": "it is being fetched"},
        retry_after=1.0,
        hint="try again a little later; the broker's log says what it waits for",
    )


def named(model: str, aliases: Mapping[str, str]) -> list[str]:
    """The providers that a model's name may begin with: by itself, and as an alias."""
    names = (model, aliases.get(model, ""))
    return [name.removeprefix("providers/").partition("/")[0] for name in names if "/" in name]
