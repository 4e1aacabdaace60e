"""Runners without a broker and without control groups, which would catch what these are to catch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.isolation import Isolator
from mediaconduit_broker.isolation.machine import Machine
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.client import KeeperClient, end_keeper
from mediaconduit_broker.runners import Exit, Launch, LogBuffer, ProcessRunner, opening
from mediaconduit_broker.runners.detached import DetachedRunner
from mediaconduit_broker.runners.journal import Journal, Record

from tests.integration.detached.conftest import gone

CHAIN = """
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
os.wait()
tell()
time.sleep(1000)
"""
BARE = f"import os, sys; os.execve(sys.executable, [sys.executable, '-c', {CHAIN!r}], {{}})"

Runner = ProcessRunner | DetachedRunner


def launch(folder: Path, code: str) -> Launch:
    return Launch(
        provider_id="mine",
        version="1",
        command=[sys.executable, "-c", code],
        folder=folder,
        instance=os.urandom(8).hex(),
    )


@contextlib.asynccontextmanager
async def detached(tmp_path: Path, isolator: Isolator) -> AsyncIterator[DetachedRunner]:
    runner = DetachedRunner(os.environ, isolator, Journal(tmp_path), 60)
    try:
        await runner.open(["mine"])
        yield runner
    finally:
        await runner.aclose()
        await asyncio.to_thread(end_keeper, isolator.sockets / "keeper")


@pytest.fixture(params=["attached", "detached"])
async def runner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Runner]:
    isolator = Isolator(Machine())
    try:
        if request.param == "attached":
            yield ProcessRunner(os.environ, isolator, Journal(tmp_path))
        else:
            async with detached(tmp_path, isolator) as made:
                yield made
    finally:
        isolator.close()


async def family_of(logs: LogBuffer) -> list[int]:
    """The three processes that told who they are."""
    async with asyncio.timeout(20), contextlib.aclosing(logs.follow(0)) as feed:
        found: list[int] = []
        async for lines, _ in feed:
            found += [int(line.text) for line in lines]
            if len(found) == 3:
                break
    assert len(set(found)) == 3
    return found


@pytest.mark.parametrize("how", ["stop", "crash", "kill"])
async def test_what_left_the_group_ends_with_its_sidecar(runner: Runner, tmp_path: Path, how: str) -> None:
    logs = LogBuffer()
    sidecar = await runner.start(launch(tmp_path, CHAIN), logs)
    family = await family_of(logs)
    if how == "crash":
        os.kill(sidecar.pid, signal.SIGKILL)
    elif how == "kill":
        sidecar.kill()
    else:
        await sidecar.stop(0)
    assert str(await sidecar.wait()) == ("killed by SIGTERM" if how == "stop" else "killed by SIGKILL")
    assert processes.wait_gone(family, 0)  # when it has ended so have they
    await sidecar.stop(0)
    assert Journal(tmp_path).all() == []


async def test_a_start_that_is_cancelled_leaves_nothing(runner: Runner, tmp_path: Path) -> None:
    """At every moment of it: cancelled after so many turns of the loop."""
    for turns in range(40):
        wanted = launch(tmp_path, "import time; time.sleep(1000)")
        start = asyncio.ensure_future(runner.start(wanted, LogBuffer()))
        for _ in range(turns):
            await asyncio.sleep(0)
        start.cancel()
        await asyncio.wait([start])
        if not start.cancelled():
            await start.result().stop(0)
        assert not processes.family(wanted.instance), f"cancelled after {turns} turns"
        assert Journal(tmp_path).all() == []


async def test_what_carries_no_mark_ends_with_the_keeper(tmp_path: Path) -> None:
    isolator = Isolator(Machine())
    logs = LogBuffer()
    async with detached(tmp_path, isolator) as runner:
        sidecar = await runner.start(launch(tmp_path, BARE), logs)
        family = await family_of(logs)
        os.kill(sidecar.pid, signal.SIGKILL)
        await sidecar.wait()
        await sidecar.stop(0)
    assert gone(*family)
    isolator.close()


def test_what_carries_no_mark_ends_with_the_broker() -> None:
    code = f"""
import asyncio, subprocess, sys
from mediaconduit_broker.cli.children import adopting
async def main():
    async with adopting():
        child = subprocess.Popen([sys.executable, "-c", {CHAIN!r}], stdout=subprocess.PIPE, env={{}})
        print(*(int(child.stdout.readline()) for _ in range(3)))
        child.kill()
        child.wait()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    family = [int(word) for word in done.stdout.split()]
    assert len(family) == 3
    assert processes.wait_gone(family, 0)


async def test_with_the_keeper_killed_a_deaf_sidecar_and_its_family_end(tmp_path: Path) -> None:
    isolator = Isolator(Machine())
    logs = LogBuffer()
    async with detached(tmp_path, isolator) as runner:
        sidecar = await runner.start(launch(tmp_path, CHAIN), logs)
        family = await family_of(logs)
        client = await KeeperClient.connect(isolator.sockets / "keeper", 60)
        keeper = (await client.ask("hello", protocol=1, lease=60))["pid"]
        await client.aclose()
        os.kill(keeper, signal.SIGKILL)
        assert await sidecar.wait() == Exit(None, None)
        assert processes.wait_gone([sidecar.pid, *family], 0)
        await sidecar.stop(0)
    assert Journal(tmp_path).all() == []
    isolator.close()


async def test_one_that_was_killed_on_before_its_id_was_written_down_is_found(tmp_path: Path) -> None:
    isolator, journal = Isolator(Machine()), Journal(tmp_path)
    logs = LogBuffer()
    wanted = launch(tmp_path, CHAIN)
    runner = ProcessRunner(os.environ, isolator, journal)
    sidecar = await runner.start(wanted, logs)
    family = await family_of(logs)
    (record,) = journal.all()
    journal.write(Record.of(wanted, record.cell(wanted.policy)))
    assert journal.all()[0].pid == 0
    assert await asyncio.to_thread(journal.end_leftovers, journal.all()) == 1
    assert processes.wait_gone([sidecar.pid, *family], 0)
    await sidecar.stop(0)
    isolator.close()


async def test_a_sidecar_that_was_not_taken_over_ends_with_its_provider(tmp_path: Path) -> None:
    isolator = Isolator(Machine())
    async with detached(tmp_path, isolator) as runner:
        sidecar = await runner.start(launch(tmp_path, "import time; time.sleep(1000)"), LogBuffer())
        runner.leaving()
        await sidecar.stop(0)
        async with detached(tmp_path, isolator) as again:
            assert processes.running(sidecar.pid, processes.identity(sidecar.pid))
            await asyncio.to_thread(again.forget, "mine")
            assert processes.wait_gone([sidecar.pid], 0)
            assert Journal(tmp_path).all() == []
    isolator.close()


async def test_a_keeper_that_cannot_start_is_said(tmp_path: Path) -> None:
    broken = Isolator(Machine(), at=(tmp_path / ("long" * 40), tmp_path))
    with pytest.raises(PreconditionError, match="could not be started: OSError: AF_UNIX path too long") as caught:
        async with opening.detached(os.environ, lambda _: broken, tmp_path, lease=60, wanted=[]):
            pass
    assert str(tmp_path) not in caught.value.message


async def test_what_cannot_be_started_leaves_nothing(runner: Runner, tmp_path: Path) -> None:
    wanted = Launch(
        provider_id="mine", version="1", command=["/there/is/no/program"], folder=tmp_path, instance="nothing"
    )
    before = sorted(runner._isolator.sockets.rglob("*"))
    with pytest.raises(OSError, match="No such file"):
        await runner.start(wanted, LogBuffer())
    assert Journal(tmp_path).all() == []
    assert sorted(runner._isolator.sockets.rglob("*")) == before
