"""Notices what is new about providers' models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from mediaconduit.v1 import models_pb2

from mediaconduit_broker.model_watch.differences import Difference, Kind, ModelSet, compared, model_set
from mediaconduit_broker.model_watch.history import ProviderHistory
from mediaconduit_broker.model_watch.store import ModelStore

_NAMED: Final = 10
"""Models that one line of the log names."""
_NOTHING: Final = ProviderHistory()

_log = structlog.get_logger(__name__)

Models = Sequence[models_pb2.Model]


class ModelWatch:
    """Compares every list of models with the one before. `run` until cancelled.

    A list without any model is no news: a provider that lacks its key, or whose vendor does not answer, has none to
    tell.

    Args:
        store: Keeps lists over restarts.
        changed: Called with the provider's id after something was new.
    """

    def __init__(self, store: ModelStore, changed: Callable[[str], None]) -> None:
        self._store = store
        self._changed = changed
        self._shown: dict[str, Models] = {}
        self._kept: dict[str, ModelSet] = {}
        self._histories: dict[str, ProviderHistory] = {}
        self._pending: dict[str, Models] = {}
        self._forgotten: set[str] = set()
        self._news = asyncio.Event()

    def show(self, provider_id: str, models: Models) -> None:
        """What a provider lists now. Cheap: `run` compares it. The same object as the last time is no news."""
        if models and self._shown.get(provider_id) is not models:
            self._shown[provider_id] = self._pending[provider_id] = models
            self._news.set()

    def forget(self, provider_id: str) -> None:
        """The provider is gone for good: one of this name that comes later begins anew."""
        self._shown.pop(provider_id, None)
        self._pending.pop(provider_id, None)
        self._forgotten.add(provider_id)
        self._news.set()

    def history(self, provider_id: str) -> ProviderHistory:
        """What has been noticed; empty for one of which nothing has."""
        return self._histories.get(provider_id, _NOTHING)

    async def run(self) -> None:
        """Never returns by itself. What it has not come to when it is cancelled is noticed by the next broker."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._forgotten:
                await self._drop(self._forgotten.pop())
            while self._pending and not self._forgotten:
                provider_id = next(iter(self._pending))
                await self._compare(provider_id, self._pending.pop(provider_id))

    async def _drop(self, provider_id: str) -> None:
        self._kept.pop(provider_id, None)
        self._histories.pop(provider_id, None)
        await asyncio.to_thread(self._store.remove, provider_id)

    async def _compare(self, provider_id: str, models: Models) -> None:
        now, before = model_set(models), self._kept.get(provider_id)
        if before is None:
            before = await asyncio.to_thread(self._store.load, provider_id)
        differences = compared(provider_id, before, now) if before is not None else []
        self._kept[provider_id] = now
        self._histories.setdefault(provider_id, ProviderHistory()).note(differences, time.time())
        if now != before:
            await self._save(provider_id, now)
        if differences:
            _tell(provider_id, differences)
            self._changed(provider_id)

    async def _save(self, provider_id: str, now: ModelSet) -> None:
        try:
            await asyncio.to_thread(self._store.save, provider_id, now)
        except OSError as error:
            # What is new now will be new again after a restart, which is better than no broker.
            _log.warning("the list of models is not kept", provider=provider_id, why=error.strerror)


def _tell(provider_id: str, differences: Sequence[Difference]) -> None:
    facts: dict[str, str] = {}
    for kind in Kind:
        names = [found.name.split("/", 3)[-1] for found in differences if found.of_model and found.kind is kind]
        if names:
            rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            facts[kind.name.lower()] = ", ".join(names[:_NAMED]) + rest
    for whole in (found for found in differences if not found.of_model):
        facts |= {"can_now": ", ".join(whole.appeared)} if whole.appeared else {}
        facts |= {"cannot_any_more": ", ".join(whole.vanished)} if whole.vanished else {}
    _log.info("models changed", provider=provider_id, **facts)
