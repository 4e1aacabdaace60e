"""The matrix itself: a good provider passes every column, and each fault is found by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Result
from mediaconduit_provider import Call
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.openai.chat import Chat

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


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(
    ("column", "operation"), [("request", Extravagant()), ("stream", Hoarding()), ("error", Stubborn())]
)
async def test_a_fault_is_found(column: str, operation: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.vendors.columns.PATIENCE", 2.0)
    with pytest.raises((AssertionError, TimeoutError)):
        await TRIED[column](replace(CASE, make_provider=provider_with(operation)))


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
