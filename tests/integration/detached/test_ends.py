"""Nothing is left of brokers that were killed, nor of those that `mediaconduit down` ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError
from mediaconduit_broker.keeper import processes

from tests.integration.cli.conftest import COMMAND
from tests.integration.detached.conftest import FAULTY, Place, client_of, gone
from tests.support.brokers import load, write_provider


def run_down(place: Place) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "down", "--state-dir", str(place.state)], capture_output=True, text=True, timeout=60
    )


async def test_down_ends_a_detached_broker_its_keeper_and_its_sidecars(place: Place) -> None:
    broker = place.up("--detached")
    async with client_of(broker) as client:
        await load(client, FAULTY)
    (record,), keeper, folders = place.records, place.keeper, place.folders
    done = run_down(place)
    assert done.returncode == 0, done.stderr
    assert "stopped the broker" in done.stderr
    assert "ended 1 detached sidecar" in done.stderr
    assert broker.process.wait(20) == 0
    assert gone(keeper, record.pid)
    assert place.records == []
    assert not any(folder.exists() for folder in folders)


async def test_down_ends_what_a_killed_broker_left(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (record,), keeper = place.records, place.keeper
    done = run_down(place)
    assert (done.returncode, done.stderr) == (0, "ended 1 detached sidecar\n")
    assert gone(keeper, record.pid)


async def test_down_ends_an_attached_broker(place: Place) -> None:
    broker = place.up()
    async with client_of(broker) as client:
        await load(client, FAULTY)
    (record,) = place.records
    assert run_down(place).stderr == "stopped the broker\n"
    assert broker.process.wait(20) == 0
    assert gone(record.pid)


def test_down_with_nothing_there_says_so(place: Place) -> None:
    done = run_down(place)
    assert (done.returncode, done.stderr) == (0, "nothing was running\n")
    assert not place.state.exists()
    place.state.mkdir()


async def test_an_attached_broker_ends_what_a_detached_one_left(place: Place) -> None:
    async with client_of(place.up("--detached")) as client:
        await load(client, FAULTY)
    place.kill()
    (record,), keeper = place.records, place.keeper
    async with client_of(place.up(), "faulty") as client:
        assert gone(keeper, record.pid)
        assert (await client.model("faulty/echo").transform("alive")).text == "alive "
    assert place.keeper == 0


async def test_a_killed_broker_with_50_streams_leaves_no_orphan(place: Place) -> None:
    broker = place.up()
    async with client_of(broker) as client, contextlib.AsyncExitStack() as stack:
        await load(client, FAULTY)
        model = client.model("faulty/endless")
        streams = [await stack.enter_async_context(model.stream("x")) for _ in range(50)]
        await asyncio.gather(*(anext(aiter(stream)) for stream in streams))
        family = [process.pid for process in psutil.Process(broker.process.pid).children(recursive=True)]
        assert family
        place.kill()
        assert await asyncio.to_thread(gone, *family)
        for stream in streams:
            with pytest.raises(MediaConduitError):
                async for _ in stream:
                    pass
    folders = place.folders
    (left,) = place.records
    place.up()
    assert not any(folder.exists() for folder in folders)
    assert left.instance not in [record.instance for record in place.records]


async def test_a_deaf_sidecar_of_a_killed_broker_is_ended_by_the_next(place: Place) -> None:
    async with client_of(place.up()) as client:
        await load(client, FAULTY)
    (record,) = place.records
    os.kill(record.pid, signal.SIGSTOP)
    place.kill()
    assert psutil.pid_exists(record.pid)
    broker = place.up()
    assert gone(record.pid)
    assert any("ended what an earlier broker left" in line for line in lines_of(broker.log, "earlier broker"))


def lines_of(log: list[str], text: str) -> list[str]:
    """The log's lines, once one has the text: another thread reads them."""
    deadline = time.monotonic() + 10
    while not any(text in line for line in log) and time.monotonic() < deadline:
        pass
    return log


FAMILY = """
import subprocess
import sys

from mediaconduit_provider import Model, Provider

CHAIN = r'''
import os, time
def tell():
    os.write(1, b"%d\\n" % os.getpid())
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.fork()  # both of these outlive their parents
        tell()
        time.sleep(1000)
    os._exit(0)
tell()
time.sleep(1000)
'''


class Mine(Provider):
    models = (Model("default", ["text-to-text"]),)

    async def transform(self, call):
        bare = {} if call.text == "bare" else None
        child = subprocess.Popen([sys.executable, "-c", CHAIN], stdout=subprocess.PIPE, env=bare)
        for _ in range(3):
            yield child.stdout.readline().decode()
"""


async def family_of(client: Client, text: str) -> list[int]:
    """A child that stays and two descendants that left group, session and parent."""
    pids = [int(word) for word in (await client.model("mine/default").transform(text)).text.split()]
    assert len(set(pids)) == 3
    assert all(map(psutil.pid_exists, pids))
    return pids


@pytest.mark.parametrize("mode", ["--attached", "--detached"])
@pytest.mark.parametrize("how", ["stop", "crash"])
async def test_children_that_left_the_group_end_with_their_sidecar(
    place: Place, tmp_path: Path, mode: str, how: str
) -> None:
    async with client_of(place.up(mode)) as client:
        await load(client, str(write_provider(tmp_path / "mine", FAMILY)))
        family = await family_of(client, "x")
        (record,) = place.records
        if how == "stop":
            await client.broker.unload("mine")
        else:
            os.kill(record.pid, signal.SIGKILL)
        assert await asyncio.to_thread(gone, record.pid, *family)


@pytest.mark.parametrize("mode", ["--attached", "--detached"])
async def test_children_without_any_mark_end_at_the_latest_with_the_last_of_us(
    place: Place, tmp_path: Path, mode: str
) -> None:
    broker = place.up(mode)
    async with client_of(broker) as client:
        await load(client, str(write_provider(tmp_path / "mine", FAMILY)))
        family = await family_of(client, "bare")
        (record,) = place.records
        os.kill(record.pid, signal.SIGKILL)
        assert await asyncio.to_thread(gone, record.pid)
    assert run_down(place).returncode == 0
    assert processes.wait_gone(family, 20)
