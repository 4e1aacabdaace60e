import asyncio

import pytest
from mediaconduit.errors import NotFoundError, UnavailableError
from mediaconduit_broker.restoring import Restoring, named


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("providers/cow/models/default", ["cow"]),
        ("cow/default", ["cow"]),
        ("quick", ["fast"]),
        ("cow/quick", ["cow", "fast"]),
        ("default", []),
        ("", []),
    ],
)
def test_which_providers_a_name_may_begin_with(model: str, found: list[str]) -> None:
    assert named(model, {"quick": "fast/default", "cow/quick": "providers/fast/models/x", "other": "plain"}) == found


async def test_who_waits_goes_on_when_it_is_known_and_not_before() -> None:
    restoring, ended = Restoring(), asyncio.Event()
    load = asyncio.ensure_future(_until(ended))
    restoring.begin("cow", load, 60)
    waiting = asyncio.ensure_future(restoring.wait_for("cow"))
    await asyncio.sleep(0)
    assert (waiting.done(), restoring.names) == (False, ["cow"])
    restoring.known("cow")
    await waiting
    ended.set()
    assert await restoring.wait_for_any(60)
    assert (restoring.names, await restoring.wait_for_any(60)) == ([], False)


async def test_a_failure_is_told_until_it_is_known_or_forgotten() -> None:
    restoring = Restoring()
    for undo in (restoring.known, restoring.forget):
        load = asyncio.ensure_future(asyncio.sleep(0))
        restoring.begin("cow", load, 60)
        restoring.failed("cow", NotFoundError("the folder is gone"))
        await load
        with pytest.raises(UnavailableError, match="cow did not come back with the broker: the folder is gone"):
            await restoring.wait_for("cow")
        undo("cow")
        await restoring.wait_for("cow")


async def test_waiting_for_one_that_does_not_come_ends_with_its_time() -> None:
    restoring, never = Restoring(), asyncio.Event()
    load = asyncio.ensure_future(_until(never))
    restoring.begin("cow", load, 0)
    for waited in (restoring.wait_for("cow"), restoring.wait_for_any(0)):
        with pytest.raises(UnavailableError, match="not back yet since the broker started: cow") as caught:
            await waited
        assert caught.value.retry_after
    never.set()
    await load


async def _until(event: asyncio.Event) -> None:
    await event.wait()
