from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import tasks
from mediaconduit.v1 import models_pb2
from mediaconduit_broker.model_watch import ModelStore, ModelWatch, ProviderHistory
from mediaconduit_broker.model_watch.differences import Difference, Kind
from mediaconduit_broker.model_watch.history import KEPT
from structlog.testing import capture_logs

MARKER = "marker"


def listed(*names: str, does: str = "text-to-text") -> tuple[models_pb2.Model, ...]:
    return tuple(models_pb2.Model(name=f"providers/p/models/{name}", capabilities=does.split()) for name in names)


class Watching:
    """A watch that runs."""

    def __init__(self, store: ModelStore) -> None:
        store.save(MARKER, {})
        self.heard: list[str] = []
        self.watch = ModelWatch(store, self._hear)
        self._settled = asyncio.Event()

    def _hear(self, provider_id: str) -> None:
        if provider_id == MARKER:
            self._settled.set()
        else:
            self.heard.append(provider_id)

    async def show(self, *lists: Sequence[models_pb2.Model]) -> ProviderHistory:
        """What is noticed once all of them have been compared."""
        for models in lists:
            self.watch.show("p", models)
            # Another provider's news goes through the same queue: when it has come out, all before it has.
            self._settled.clear()
            self.watch.show(MARKER, [models_pb2.Model(name=f"providers/{MARKER}/models/{uuid.uuid4()}")])
            await self._settled.wait()
        return self.watch.history("p")


@contextlib.asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watching]:
    made = Watching(ModelStore(folder))
    runs = tasks.start(made.watch.run(), name="watch")
    try:
        yield made
    finally:
        await tasks.cancel_and_join(runs)


def kinds(history: ProviderHistory) -> list[tuple[str, Kind]]:
    return [(noticed.difference.name.split("/")[-1], noticed.difference.kind) for noticed in history.since(0)]


async def test_the_first_list_ever_is_no_news(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        history = await it.show(listed("a", "b"))
        assert (history.last_number, it.heard) == (0, [])


async def test_what_was_listed_before_the_broker_started_is_compared(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.show(listed("a", "b"))
    async with watching(tmp_path) as it:
        with capture_logs() as logs:
            history = await it.show(listed("b", "c"))
        assert kinds(history) == [("a", Kind.VANISHED), ("c", Kind.APPEARED)]
        assert it.heard == ["p"]
        assert [log for log in logs if log["provider"] == "p"] == [
            {"event": "models changed", "log_level": "info", "provider": "p", "appeared": "c", "vanished": "a"}
        ]
        assert (history.counters.models_appeared, history.counters.models_vanished) == (1, 1)


async def test_what_all_of_them_do_together_counts_too(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        history = await it.show(listed("a"), listed("a", does="text-to-text text-to-audio"), listed("a"))
        assert kinds(history) == [("p", Kind.CHANGED), ("a", Kind.CHANGED)] * 2
        counters = history.counters
        assert (counters.capabilities_appeared, counters.capabilities_vanished, counters.comparisons) == (1, 1, 3)


async def test_an_empty_list_is_no_news_for_its_provider_may_lack_its_key(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        history = await it.show(listed("a"), (), listed("a"))
        assert history.last_number == 0


async def test_the_same_list_is_not_compared_again(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        models = listed("a")
        history = await it.show(models, models, models)
        assert history.counters.comparisons == 1


async def test_a_provider_that_is_unloaded_is_forgotten(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.show(listed("a"))
        it.watch.forget("p")
        history = await it.show(listed("b"))
        assert history.last_number == 0
        assert (tmp_path / "p.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "models": {}}', '{"format": 1, "models": [1]}', "\x00"])
async def test_a_kept_list_that_cannot_be_read_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    async with watching(tmp_path) as it:
        assert (await it.show(listed("a"))).last_number == 0
    assert ModelStore(tmp_path).load("p") == {"providers/p/models/a": frozenset({"text-to-text"})}


async def test_what_cannot_be_kept_is_noticed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, os.strerror(28))

    async with watching(tmp_path) as it:
        monkeypatch.setattr(Path, "replace", full)
        with capture_logs() as logs:
            history = await it.show(listed("a"), listed("b"))
        assert history.last_number == 2
        assert "the list of models is not kept" in [log["event"] for log in logs]
    assert [path.name for path in tmp_path.iterdir()] == [f"{MARKER}.json"]


def test_a_watcher_gets_what_it_has_not_had_and_the_oldest_go() -> None:
    history = ProviderHistory()
    for number in range(KEPT + 5):
        history.note([Difference(f"providers/p/models/{number}", Kind.APPEARED)], 0.0)
    assert len(history.since(0)) == KEPT
    assert [noticed.difference.name for noticed in history.since(KEPT + 3)] == [
        f"providers/p/models/{KEPT + 3}",
        f"providers/p/models/{KEPT + 4}",
    ]
    assert history.since(KEPT + 5) == []
    assert history.since(KEPT + 50) == []
