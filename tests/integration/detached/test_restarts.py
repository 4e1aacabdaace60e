"""Brokers come and go; detached sidecars stay."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest
from mediaconduit.errors import Reason, UnavailableError
from mediaconduit_broker.keeper import processes

from tests.integration.detached.conftest import FAULTY, Place, client_of, gone, log_of
from tests.support.brokers import GOOD, load, write_provider

GREETING = {"greeting": "hello"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_keeps_the_sidecar_and_configures_it_again(place: Place, number: int) -> None:
    broker = place.up("--detached")
    async with client_of(broker) as client:
        await load(client, FAULTY, settings=GREETING)
        first = (await client.model("faulty/greet").transform("x")).text
    broker.stop(number)
    assert psutil.pid_exists(int(first.split()[1]))
    async with client_of(place.up("--detached"), "faulty") as client:
        assert (await client.model("faulty/greet").transform("x")).text == first
        (provider,) = await client.broker.list()
    assert first.startswith("hello ")
    assert provider.start_count == 1
    assert len(place.records) == 1


async def test_a_call_through_a_killed_broker_fails_and_the_sidecar_stays(place: Place) -> None:
    broker = place.up("--detached")
    async with client_of(broker) as client:
        await load(client, FAULTY)
        (record,) = place.records
        async with client.model("faulty/endless").stream("x") as stream:
            events = aiter(stream)
            await anext(events)
            place.kill()
            with pytest.raises(UnavailableError):
                async for _ in events:
                    pass
    async with client_of(place.up("--detached"), "faulty") as client:
        pid = int((await client.model("faulty/greet").transform("x")).text.split()[1])
    assert pid == record.pid


@pytest.mark.parametrize(("model", "key", "value"), [("exit", "exit_code", "3"), ("kill", "signal", "9")])
async def test_a_crash_after_a_restart_still_tells_code_signal_and_last_line(
    place: Place, model: str, key: str, value: str
) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (before,) = place.records
    async with client_of(place.up("--detached"), "faulty") as client:
        await load(client, FAULTY)
        assert place.records[0].pid == before.pid
        with pytest.raises(UnavailableError) as caught:
            await client.model(f"faulty/{model}").transform("x")
        assert caught.value.reason is Reason.PROVIDER_CRASHED
        assert caught.value.metadata[key] == value
        assert (await client.model("faulty/echo").transform("alive")).text == "alive "
        told = await log_of(client, "faulty", until="the sidecar ")
    assert ("last words" in told) is (model == "exit")
    assert "exited with code 3" in told or "killed by SIGKILL" in told
    assert place.records[0].pid != before.pid


async def test_what_it_wrote_while_no_broker_was_there_is_in_its_log(place: Place, tmp_path: Path) -> None:
    code = GOOD.replace("yield VERSION", "print('said', call.text, flush=True); yield VERSION")
    async with client_of(place.up("--detached")) as client:
        await load(client, str(write_provider(tmp_path / "mine", code)))
        await client.model("mine/default").transform("before")
    place.kill()
    async with client_of(place.up("--detached"), "mine") as client:
        await client.model("mine/default").transform("after")
        told = await log_of(client, "mine", until="said after")
    assert told.index("said before") < told.index("said after")


async def test_a_sidecar_that_ended_while_no_broker_was_there_is_started_anew_and_told_of(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (before,) = place.records
    os.kill(before.pid, signal.SIGKILL)
    assert gone(before.pid)
    async with client_of(place.up("--detached"), "faulty") as client:
        await load(client, FAULTY)
        await log_of(client, "faulty", until="while no broker was there the sidecar killed by SIGKILL")
    (after,) = place.records
    assert after.pid != before.pid


async def test_a_sidecar_that_does_not_answer_is_replaced(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (before,) = place.records
    os.kill(before.pid, signal.SIGSTOP)
    async with client_of(place.up("--detached"), "faulty") as client:
        assert (await client.model("faulty/echo").transform("alive")).text == "alive "
    assert gone(before.pid)


async def test_a_provider_that_changed_is_started_anew(place: Place, tmp_path: Path) -> None:
    folder = write_provider(tmp_path / "mine", GOOD)
    async with client_of(place.up("--detached")) as client:
        await load(client, str(folder))
    place.kill()
    (before,) = place.records
    manifest = folder / "MediaConduit.provider.yml"
    manifest.write_text(manifest.read_text().replace("1.0.0", "2.0.0"))
    async with client_of(place.up("--detached"), "mine") as client:
        assert (await client.model("mine/default").transform("x")).text == "one"
    assert gone(before.pid)
    assert [record.pid for record in place.records] != [before.pid]


async def test_one_that_was_removed_does_not_come_back(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
        (record,) = place.records
        await client.broker.unload("faulty")
    assert gone(record.pid)
    assert place.records == []


async def test_one_that_nobody_wants_any_more_is_ended(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (record,) = place.records
    (place.state / "providers" / "faulty.json").unlink()
    place.up("--detached")
    assert gone(record.pid)
    assert place.records == []


async def test_without_a_broker_the_lease_ends_everything(place: Place) -> None:
    async with client_of(place.up("--detached", lease=1)) as client:
        await load(client, FAULTY)
        # As long as a broker is there the lease is renewed: this takes longer than it lasts.
        async with asyncio.timeout(20):
            async for event in client.model("faulty/words").stream("word"):
                if event.text and processes.running(place.keeper, processes.identity(place.keeper)):
                    break
    (record,), keeper, folders = place.records, place.keeper, place.folders
    place.kill()
    assert gone(keeper, record.pid)
    assert not any(folder.exists() for folder in (*map(Path, record.folders), folders[0]))


async def test_a_broker_that_stays_keeps_the_lease(place: Place) -> None:
    async with client_of(place.up("--detached", lease=1)) as client:
        await load(client, FAULTY)
        keeper = place.keeper
        async with client.model("faulty/endless").stream("x") as stream:
            seen = 0
            async for event in stream:
                seen += bool(event.text)
                if seen == 400:  # at least two seconds' worth
                    break
    assert keeper == place.keeper


async def test_a_killed_keeper_takes_its_sidecars_along_and_the_broker_starts_another(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
        (before,), keeper = place.records, place.keeper
        os.kill(keeper, signal.SIGKILL)
        assert await asyncio.to_thread(gone, keeper, before.pid)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await client.model("faulty/echo").transform("alive")).text == "alive "
                    break
                except UnavailableError:
                    continue  # it is about to be noticed
        await log_of(client, "faulty", until="nobody knows how")
    assert place.keeper not in (0, keeper)
    assert [record.pid for record in place.records] != [before.pid]


async def test_a_killed_keeper_leaves_no_sidecar_that_is_deaf(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
        (before,) = place.records
        os.kill(before.pid, signal.SIGSTOP)
        os.kill(place.keeper, signal.SIGKILL)
        assert await asyncio.to_thread(gone, before.pid)


async def test_with_broker_and_keeper_killed_the_next_broker_ends_what_is_left(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    (record,) = place.records
    os.kill(record.pid, signal.SIGSTOP)  # or it would end with its keeper
    os.kill(place.keeper, signal.SIGKILL)
    place.kill()
    async with client_of(place.up("--detached"), "faulty") as client:
        assert (await client.model("faulty/echo").transform("alive")).text == "alive "
    assert gone(record.pid)
