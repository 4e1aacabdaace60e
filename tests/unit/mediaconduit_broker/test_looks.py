"""Which providers are asked for their models again; with stand-ins for supervisors, whose life is tested elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from mediaconduit import tasks
from mediaconduit.errors import UnavailableError
from mediaconduit_broker.supervision import Looks, State, looks


@dataclass(eq=False)
class Asked:
    """A provider that counts how often it is asked, and whose list is provisional for so many times."""

    provisional: int = 0
    fails: bool = False
    silent: bool = False
    times: int = 0
    state: State = State.READY
    instance: Any = field(default_factory=lambda: SimpleNamespace(provisional=True))
    spec: Any = field(default_factory=lambda: SimpleNamespace(provider_id="p"))
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.instance.provisional = bool(self.provisional)

    async def answer(self) -> None:
        self.times += 1
        if self.silent:
            await asyncio.Event().wait()
        self.instance.provisional = self.times < self.provisional
        self.heard.set()
        if self.fails:
            raise UnavailableError("gone")

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not wanted():
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def looking(seconds: float, *asked: Asked) -> AsyncIterator[Looks]:
    made = Looks(lambda: asked, lambda one: one.answer(), seconds)  # type: ignore[arg-type,return-value,attr-defined]
    runs = tasks.start(made.run(), name="looks")
    try:
        yield made
    finally:
        await tasks.cancel_and_join(runs)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_FIRST", 0.001)


async def test_a_provisional_list_is_asked_for_until_it_is_the_vendors_and_then_no_more() -> None:
    provider, marker = Asked(provisional=4), Asked(provisional=7)
    async with looking(0, provider, marker):
        await marker.until(lambda: marker.times == 7)
    assert provider.times == 4


async def test_every_list_is_asked_for_at_the_pace_that_is_configured() -> None:
    provider = Asked()
    async with looking(0.001, provider):
        await provider.until(lambda: provider.times == 3)


async def test_one_that_cannot_tell_does_not_end_the_looking() -> None:
    broken, other = Asked(fails=True), Asked()
    async with looking(0.001, broken, other):
        await broken.until(lambda: broken.times == 3)
        await other.until(lambda: other.times >= 3)


async def test_one_that_does_not_answer_keeps_the_others_waiting_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "_PATIENCE", 0.01)
    silent, other = Asked(silent=True), Asked()
    async with looking(0.001, silent, other):
        await other.until(lambda: other.times >= 3)
    assert silent.times >= 2


async def test_one_that_does_not_run_is_not_asked_until_it_does() -> None:
    resting, marker = Asked(provisional=1, state=State.STOPPED), Asked(provisional=5)
    async with looking(0, resting, marker) as made:
        await marker.until(lambda: marker.times == 5)
        assert resting.times == 0
        resting.state = State.READY
        made.wake()
        await resting.until(lambda: resting.times == 1)


async def test_a_sidecar_that_was_replaced_is_asked_anew() -> None:
    provider = Asked(provisional=1)
    async with looking(0, provider) as made:
        await provider.until(lambda: provider.times == 1)
        provider.instance = SimpleNamespace(provisional=True)
        made.wake()
        await provider.until(lambda: provider.times == 2)
