"""Each check finds what it is there for, and nothing else does."""

import asyncio
import importlib.util
import sys
from types import ModuleType

import pytest
from mediaconduit_broker.conformance import CHECKS, Report
from mediaconduit_broker.state import StateFolder

from .conftest import ROOT, Conform, conforming

AT_ONCE = 3


def _defects() -> ModuleType:
    """The provider's own list; importing it changes nothing."""
    spec = importlib.util.spec_from_file_location("defects", ROOT / "tests/providers/broken/defects.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["defects"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEFECTS = _defects().DEFECTS


def test_every_check_can_fail() -> None:
    assert {defect.check for defect in DEFECTS.values()} == set(CHECKS)


async def test_without_a_defect_every_check_passes_and_applies(conform: Conform) -> None:
    report = await conform("./broken", settings={"api_key": "hush-hush", "greeting": "hello"})
    assert [(o.name, o.detail) for o in report.outcomes if not o.passed or not o.applicable] == []
    assert [outcome.name for outcome in report.outcomes] == list(CHECKS)


@pytest.fixture(scope="module")
def reports(state: StateFolder) -> dict[str, Report]:
    """The whole suite on every defect, a few at a time: each mostly waits."""

    async def one(name: str, places: asyncio.Semaphore) -> Report:
        async with places:
            return await conforming(
                state, "./broken", variables={"BROKEN_DEFECT": name}, settings={"greeting": "hello"}
            )

    async def every() -> dict[str, Report]:
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            runs = {name: group.create_task(one(name, places)) for name in DEFECTS}
        return {name: run.result() for name, run in runs.items()}

    return asyncio.run(every())


@pytest.mark.timeout(300)  # the first of them waits for all runs
@pytest.mark.parametrize(("name", "check"), [(name, defect.check) for name, defect in DEFECTS.items()])
def test_a_defect_fails_its_check_and_no_other(name: str, check: str, reports: dict[str, Report]) -> None:
    failed = {outcome.name: outcome for outcome in reports[name].failed}
    assert set(failed) == {check}, {outcome.name: outcome.detail for outcome in failed.values()}
    assert failed[check].advice == CHECKS[check].advice


async def test_a_model_that_only_converses_is_tried_in_a_conversation(conform: Conform) -> None:
    report = await conform("./broken", only=["transform", "upload"])
    details = {outcome.name: outcome.detail for outcome in report.outcomes}
    assert details["transform"] == "text-to-text, text-to-video; only in conversations: audio-to-audio"
    assert details["upload"] == "text-to-text, text-to-video, audio-to-audio"
