"""Brokers that are killed, starved of descriptors, told another time, loaded and unloaded hundreds of times."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError

from tests.faults.conftest import ROUNDS
from tests.support.brokers import load
from tests.support.processes import broker_process, client_of, gone

pytestmark = pytest.mark.timeout(900)


async def test_kill_of_a_broker_with_fifty_streams_open(tmp_path: Path, environments: Path, rounds) -> None:
    for number in rounds:
        async with broker_process(tmp_path / f"state{number}", environments) as served, client_of(served) as client:
            await load(client, "./faulty")
            started = served.descendants()
            begun = [asyncio.Event() for _ in range(50)]
            readers = [asyncio.ensure_future(_read(client, event)) for event in begun]
            await asyncio.gather(*(event.wait() for event in begun))
            os.kill(served.pid, signal.SIGKILL)
            ended, hanging = await asyncio.wait(readers, timeout=30)
            for _ in hanging:
                rounds.hung(f"round {number}: a stream of a dead broker")
            for reader in ended:
                if not isinstance(reader.exception(), MediaConduitError):
                    rounds.lost(f"round {number}: {reader.exception()!r}")
            for process in await gone(started):
                rounds.leaked(f"round {number}: {process}")


async def _read(client: Client, begun: asyncio.Event) -> None:
    async for _ in client.model("faulty/endless").stream("x"):
        begun.set()


async def test_loading_and_unloading_keeps_everything_flat(tmp_path: Path, environments: Path, rounds) -> None:
    cycles = 25 if ROUNDS < 10 else 500
    async with broker_process(tmp_path / "state", environments) as served, client_of(served) as client:
        for _ in range(5):
            await _cycle(client)
        before = served.figures()
        for _ in range(cycles):
            await _cycle(client)
        rounds.tried(cycles)
        after = served.figures()
    memory, descriptors, processes = (new - old for new, old in zip(after, before, strict=True))
    if memory > 12_000_000 or descriptors > 3 or processes > 0:
        rounds.leaked(f"{memory} bytes, {descriptors} descriptors, {processes} processes over {cycles} cycles")


async def _cycle(client: Client) -> None:
    await load(client, "cowsay")
    await client.broker.unload("cowsay")


async def test_a_broker_out_of_descriptors_recovers(tmp_path: Path, environments: Path, rounds) -> None:
    for number in rounds:
        limited = ("prlimit", "--nofile=96:96")
        process = broker_process(tmp_path / f"state{number}", environments, wrap=limited)
        async with process as served, client_of(served) as client:
            await load(client, "cowsay")
            taken = await _sockets(served.address, 120)
            with contextlib.suppress(MediaConduitError):
                await load(client, "./faulty")
            for writer in taken:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            try:
                async with asyncio.timeout(30):
                    await _answers(client)
            except TimeoutError:
                rounds.hung(f"round {number}")


async def _sockets(address: str, count: int) -> list[asyncio.StreamWriter]:
    host, port = address.split(":")
    opened = []
    for _ in range(count):
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                opened.append((await asyncio.open_connection(host, int(port)))[1])
    return opened


async def _answers(client: Client) -> None:
    while True:
        with contextlib.suppress(MediaConduitError):
            if "hi" in (await client.model("cowsay/default").transform("hi")).text:
                return
        await asyncio.sleep(0.05)


FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@pytest.mark.skipif(not os.path.exists(FAKETIME), reason="libfaketime: apt-get install libfaketime")
async def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, environments: Path, rounds) -> None:
    for number in rounds:
        clock = tmp_path / f"clock{number}"
        clock.write_text("+0")
        environ = {
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        process = broker_process(tmp_path / f"state{number}", environments, environ=environ)
        async with process as served, client_of(served) as client:
            await load(client, "./faulty")
            for jump in ("+3650d", "-3650d", "+0"):
                clock.write_text(jump)
                result = await client.model("faulty/echo").transform("still here")
                if result.text != "still here ":
                    rounds.lost(f"after {jump}")
            (provider,) = await client.broker.list()
            if provider.start_count != 1:
                rounds.lost(f"round {number}: restarted")


async def test_a_second_broker_on_one_state_folder_says_so(tmp_path: Path, environments: Path, rounds) -> None:
    async with broker_process(tmp_path / "state", environments) as first, client_of(first) as client:
        await load(client, "cowsay")
        for _ in rounds:
            with pytest.raises(AssertionError, match="did not start"):
                async with broker_process(tmp_path / "state"):
                    pass
        await client.model("cowsay/default").transform("untouched")


async def test_a_full_disk_loses_nothing_that_runs(tmp_path: Path, environments: Path, rounds) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    for number in rounds:
        small = tmp_path / f"small{number}"
        small.mkdir()
        await asyncio.to_thread(os.system, f"mount -t tmpfs -o size=8m tmpfs {small}")
        try:
            async with broker_process(small / "state") as served, client_of(served) as client:
                try:
                    await load(client, "cowsay")
                    rounds.lost("a build that does not fit succeeded")
                except MediaConduitError as error:
                    if "disk is full" not in error.message:
                        rounds.lost(f"{error!r}")
                left = [path for path in (small / "state" / "environments").iterdir() if path.name != ".lock"]
                for path in left:
                    rounds.leaked(path.name)
        finally:
            await asyncio.to_thread(os.system, f"umount {small}")
            shutil.rmtree(small, ignore_errors=True)


def test_nothing_of_ours_is_left() -> None:
    orphans = [process for process in psutil.process_iter(["cmdline", "ppid"]) if process.info["ppid"] == 1]
    assert [p for p in orphans if "faulty_provider:Faulty" in " ".join(p.info["cmdline"] or [])] == []
