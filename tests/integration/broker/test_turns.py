"""Many providers at once: they start in turns, calls go first, and who leaves the queue leaves nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError, NotFoundError
from mediaconduit.v1 import broker_pb2
from mediaconduit_broker import registry
from mediaconduit_broker.config import Limits

from tests.support.brokers import broker, load, write_provider

STARTING = broker_pb2.PROVIDER_STATE_STARTING
PATIENT = """
import asyncio
import os
from pathlib import Path
from mediaconduit_provider import Model, Provider

HERE = Path(__file__).parent
with (HERE / "begun").open("a") as file:
    file.write(os.environ["MEDIACONDUIT_PROVIDER"] + " ")


class Mine(Provider):
    models = (Model("default", ["text-to-text"]),)

    async def setup(self):
        while not (HERE / "go").exists():
            await asyncio.sleep(0.01)

    async def transform(self, call):
        yield "here"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A provider that is not ready before there is a file `go` in it, and writes who begins into `begun`."""
    return write_provider(tmp_path / "mine", PATIENT)


@pytest.fixture
async def one_by_one(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A broker in which one sidecar starts at a time, however long that takes."""
    monkeypatch.setattr(registry, "_LONGEST_TURN", 600.0)
    limits = Limits(starts_at_once=1, builds_at_once=1)
    async with broker(tmp_path / "state", environments, limits=limits) as (_, client):
        yield client


async def until_waiting(client: Client, name: str) -> str:
    """Why it is not ready, once it waits for its turn to start."""
    async with asyncio.timeout(60), client.broker.watch() as feed:
        async for change in feed:
            if change.provider.name == f"providers/{name}" and "waiting to start" in change.provider.state_reason:
                return change.provider.state_reason
    raise AssertionError("the broker stopped")


async def until_loading(client: Client, name: str) -> None:
    """Returns once it has its turn."""
    async with asyncio.timeout(60), client.broker.watch() as feed:
        async for change in feed:
            if change.provider.name == f"providers/{name}" and change.provider.state not in (
                STARTING,
                broker_pb2.PROVIDER_STATE_INSTALLING,
            ):
                return


async def begin(client: Client, folder: Path, *names: str) -> list[asyncio.Task[list[str]]]:
    """Loads the first, then the others in this order; all but the first wait."""
    loads = []
    for name in names:
        loads.append(asyncio.ensure_future(load(client, str(folder), provider_id=name)))
        await (until_waiting(client, name) if loads[1:] else until_loading(client, name))
    return loads


async def test_those_that_wait_say_so_and_start_in_order(one_by_one: Client, folder: Path) -> None:
    loads = await begin(one_by_one, folder, "one", "two", "three")
    providers = {p.name: p for p in await one_by_one.broker.list()}
    assert providers["providers/two"].state_reason == "waiting to start, 0 before it"
    assert providers["providers/three"].state_reason == "waiting to start, 1 before it"
    (folder / "go").touch()
    messages = await asyncio.gather(*loads)
    assert "waiting to start, 1 before it" in messages[2]
    assert (folder / "begun").read_text().split() == ["one", "two", "three"]
    assert {p.state_reason for p in await one_by_one.broker.list()} == {""}


async def test_what_a_call_waits_for_goes_first(one_by_one: Client, folder: Path) -> None:
    loads = await begin(one_by_one, folder, "one", "two", "three")
    call = asyncio.ensure_future(one_by_one.model("three/default").transform("x"))
    async with asyncio.timeout(60):
        while (await one_by_one.broker.get("three")).provider.queued_calls < 2:  # the load and the call
            pass
    (folder / "go").touch()
    assert (await call).text == "here"
    await asyncio.gather(*loads)
    assert (folder / "begun").read_text().split() == ["one", "three", "two"]


async def test_one_that_is_removed_while_it_waits_leaves_nothing(one_by_one: Client, folder: Path) -> None:
    first, removed, last = await begin(one_by_one, folder, "one", "two", "three")
    await one_by_one.broker.unload("two")
    with pytest.raises(MediaConduitError):
        await removed
    with pytest.raises(NotFoundError):
        await one_by_one.broker.get("two")
    (folder / "go").touch()
    await asyncio.gather(first, last)
    assert (folder / "begun").read_text().split() == ["one", "three"]


async def test_a_broker_that_ends_while_some_wait_leaves_nothing(
    tmp_path: Path, environments: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_LONGEST_TURN", 600.0)
    async with broker(tmp_path / "state", environments, limits=Limits(starts_at_once=1)) as (_, client):
        loads = await begin(client, folder, "one", "two", "three")
    assert [type(e) for e in await asyncio.gather(*loads, return_exceptions=True) if not isinstance(e, Exception)] == []
    assert not [p for p in psutil.Process().children(recursive=True) if "mine_provider:Mine" in " ".join(p.cmdline())]
    assert (folder / "begun").read_text().split() == ["one"]


async def test_builds_wait_too_and_one_that_nobody_wants_any_more_is_not_made(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own folder of environments: they must not be there."""
    (folder / "go").touch()
    async with broker(tmp_path / "state", limits=Limits(builds_at_once=1)) as (served, client):
        turn = await served.registry._builder._turns.take()  # type: ignore[attr-defined]
        load_ = asyncio.ensure_future(load(client, str(folder), provider_id="one"))
        async with asyncio.timeout(60), client.broker.watch() as feed:
            async for change in feed:
                if re.search("waiting to be built, 0 before it", change.provider.state_reason):
                    break
        await client.broker.unload("one")
        with pytest.raises(MediaConduitError):
            await load_
        turn.end()
        messages = await load(client, str(folder), provider_id="two")
        assert "compiling" in messages
        assert len([path for path in (tmp_path / "state" / "environments").iterdir() if path.name[0] != "."]) == 1
