"""The matrix itself: a good provider passes every column, and each fault is found by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Result
from mediaconduit.errors import MediaConduitError
from mediaconduit.tasks import TaskOwner
from mediaconduit_provider import Call, Usage
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.answer import Answer
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.reply import not_understood

from tests.integration.vendors.columns import TRIED
from tests.integration.vendors.made_up import CASE, DESCRIPTION, MadeUp
from tests.integration.vendors.matrix import COLUMNS, VendorCases
from tests.support.vendors import descriptions


class Extravagant(Chat):
    """Sends a field nobody described."""

    async def request(self, api: Api, call: Call) -> dict[str, Any]:
        return {**await super().request(api, call), "colour": "red"}


class Hoarding(Chat):
    """Gives out everything at the end."""

    async def __call__(self, api: Api, call: Call) -> AsyncIterator[Yielded]:  # type: ignore[override]
        async with aclosing(super().__call__(api, call)) as work:
            hoard = [yielded async for yielded in work]
        for yielded in hoard:
            yield yielded


class Stubborn(Chat):
    """Asks again after what must not be asked again."""

    async def __call__(self, api: Api, call: Call) -> AsyncIterator[Yielded]:  # type: ignore[override]
        try:
            async with aclosing(super().__call__(api, call)) as work:
                hoard = [yielded async for yielded in work]
        except Exception:
            async with aclosing(super().__call__(api, call)) as work:
                hoard = [yielded async for yielded in work]
        for yielded in hoard:
            yield yielded


class Clinging(Chat):
    """Goes on with the vendor when its caller has left."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = TaskOwner()

    async def __call__(self, api: Api, call: Call) -> AsyncIterator[Yielded]:  # type: ignore[override]
        queue: asyncio.Queue[Yielded | None] = asyncio.Queue()

        async def pump() -> None:
            async with aclosing(super(Clinging, self).__call__(api, call)) as work:
                async for yielded in work:
                    queue.put_nowait(yielded)
            queue.put_nowait(None)

        self.owner.start(pump(), name="work that outlives its call")
        while (yielded := await queue.get()) is not None:
            yield yielded


class Careless(Chat):
    """Does not count what it takes until the vendor does."""

    async def __call__(self, api: Api, call: Call) -> AsyncIterator[Yielded]:  # type: ignore[override]
        async with aclosing(super().__call__(api, call)) as work:
            async for yielded in work:
                call.meter(Usage)
                yield yielded


class Touchy(Chat):
    """Knows all that a vendor may ever say."""

    def read(self, chunk: Mapping[str, Any], answer: Answer, call: Call) -> Iterator[Yielded]:
        if chunk.keys() - {"id", "model", "choices", "usage"}:
            raise not_understood("it says more than it may")
        return super().read(chunk, answer, call)


class Patient(MadeUp):
    """Waits for as long as it takes, whatever its settings say."""

    async def configure(self, settings: Mapping[str, Any]) -> None:
        await super().configure({**settings, "timeouts": {}})


def provider_with(operation: Chat) -> type[MadeUp]:
    return type("Changed", (MadeUp,), {"chat": operation})


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made-up.yaml").write_text(DESCRIPTION)
    monkeypatch.setenv(descriptions.VARIABLE, str(tmp_path))
    descriptions.description.cache_clear()


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize("column", COLUMNS)
async def test_a_good_provider_passes(column: str) -> None:
    await TRIED[column](CASE)


FAULTS = (
    ("request", provider_with(Extravagant()), "colour is not described"),
    ("stream", provider_with(Hoarding()), "came while the vendor"),
    ("stream", provider_with(Touchy()), "says more than it may"),
    ("error", provider_with(Stubborn()), "requests"),
    ("cancel", provider_with(Careless()), "nobody counted"),
    ("timeout", Patient, "still waits"),
)


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(("column", "provider", "says"), FAULTS)
async def test_a_fault_is_found(
    column: str, provider: type[MadeUp], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.vendors.columns.PATIENCE", 2.0)
    with pytest.raises((AssertionError, MediaConduitError), match=says):
        await TRIED[column](replace(CASE, make_provider=provider))


@pytest.mark.usefixtures("described")
async def test_a_connection_that_outlives_its_call_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.vendors.columns.PATIENCE", 2.0)
    clinging = Clinging()
    with pytest.raises(AssertionError, match="was not closed"):
        await TRIED["cancel"](replace(CASE, make_provider=provider_with(clinging)))
    await clinging.owner.aclose()


@pytest.mark.usefixtures("described")
async def test_a_wrong_result_is_found() -> None:
    def check(result: Result) -> None:
        raise AssertionError

    with pytest.raises(AssertionError):
        await TRIED["stream"](replace(CASE, check=check))


async def test_without_descriptions_the_request_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(descriptions.VARIABLE, raising=False)
    with pytest.raises(pytest.skip.Exception, match=descriptions.VARIABLE):
        await TRIED["request"](CASE)


def test_cells_say_what_was_tried_what_does_not_apply_and_what_is_missing() -> None:
    partly = replace(CASE, not_applicable={"cancel": "see 1"}, description="", undescribed="see 2")
    vendor = VendorCases("openai-compatible", [partly], {"speech": "see 3"})
    assert [vendor.cell("chat", column) for column in COLUMNS] == ["n/a: see 2", "yes", "yes", "n/a: see 1", "yes"]
    assert vendor.cell("speech", "error") == "n/a: see 3"
    assert vendor.cell("embeddings", "error") == ""
    assert "transcription, timeout" in vendor.gaps()
    assert VendorCases("openai-compatible", [replace(CASE, operation="typo")], {}).gaps()[-1] == "typo: no such row"
