"""Sidecars that take all memory, or start children that flee; and detached ones whose broker is killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError, Reason, UnavailableError
from mediaconduit_broker.config import IsolationConfig, ProviderConfig, ResourceLimits
from mediaconduit_broker.isolation import Machine
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.runners import opening

from tests.support.brokers import broker, load, write_provider
from tests.support.processes import broker_process, client_of

pytestmark = pytest.mark.timeout(900)
machine = Machine.look()
MEMORY = 256 * 1024 * 1024
TOO_MUCH = ProviderConfig(source="./hostile", limits=ResourceLimits(memory_bytes=MEMORY))


@pytest.mark.skipif(
    machine.cgroups is None or "memory" not in machine.cgroups.controllers,
    reason="no control groups for memory can be made here",
)
async def test_out_of_memory_ends_that_sidecar_alone(tmp_path: Path, environments: Path, rounds) -> None:
    config = {"providers": {"hostile": TOO_MUCH}, "isolation": IsolationConfig(users="off")}
    async with broker(tmp_path / "state", environments, **config) as (_, client):
        await load(client, "./faulty")
        async with client.model("faulty/endless").stream("x") as neighbour:
            events = aiter(neighbour)
            for number in rounds:
                await load(client, "./hostile")  # an operator's answer to a provider that was given up
                try:
                    await client.model("hostile/memory").transform("x", timeout=60)
                    rounds.lost(f"round {number}: it got all the memory it wanted")
                except UnavailableError as error:
                    if error.metadata.get("limit") != "memory_bytes":
                        rounds.lost(f"round {number}: {error!r}")
                except MediaConduitError as error:
                    (rounds.hung if error.reason is Reason.DEADLINE_EXCEEDED else rounds.lost)(f"{number}: {error!r}")
                await anext(events)
        groups = [process.pid for process in psutil.Process().children(recursive=True) if _is("hostile", process)]
        await client.broker.unload("hostile")
        for pid in groups:
            if not await asyncio.to_thread(processes.wait_gone, [pid], 15):
                rounds.leaked(f"process {pid}")


def _is(provider: str, process: psutil.Process) -> bool:
    try:
        return f"{provider}_provider:" in " ".join(process.cmdline())
    except psutil.Error:
        return False


FLEEING = r"""
import subprocess
import sys
from mediaconduit_provider import Model, Provider

FLEE = r'''
import os, sys, time
for step in sys.argv[1]:
    if step == "s":
        try:
            os.setsid()
        except OSError:
            pass  # it leads a group already
    elif os.fork() and step == "f":
        os._exit(0)  # the parent goes, the child goes on; with "F" both do
os.write(1, b"%d\n" % os.getpid())
time.sleep(1000)
'''


class Mine(Provider):
    models = (Model("default", ["text-to-text"]),)

    async def transform(self, call):
        for way in call.text.split():
            child = subprocess.Popen([sys.executable, "-c", FLEE, way], stdout=subprocess.PIPE)
            for _ in range(2 ** way.count("F")):
                yield child.stdout.readline().decode()
"""


async def test_children_that_fork_and_call_setsid_all_die(
    tmp_path: Path, environments: Path, rounds, rng: random.Random
) -> None:
    folder = write_provider(tmp_path / "mine", FLEEING)
    for number in rounds:
        ways = ["".join(rng.choices("sfF", k=rng.randint(1, 5))) for _ in range(4)]
        end = rng.choice(["sidecar", "broker", "unload"])
        state = tmp_path / f"state{number}"
        async with broker_process(state, environments) as served, client_of(served) as client:
            await load(client, str(folder))
            text = (await client.model("mine/default").transform(" ".join(ways))).text
            children = [int(word) for word in text.split()]
            if end == "unload":
                await client.broker.unload("mine")
            else:
                (sidecar,) = [process.pid for process in served.descendants() if _is("mine", process)]
                os.kill(sidecar if end == "sidecar" else served.pid, signal.SIGKILL)
            if end == "broker":
                await served.process.wait()
                # Children that hold nothing of the broker's know nothing of its end; the next one looks for them.
                async with broker_process(state):
                    pass
            if not await asyncio.to_thread(processes.wait_gone, children, 20):
                rounds.leaked(f"round {number}: {ways} after the end of the {end}")


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[list[Path]]:
    """State folders of detached brokers; what they left ends with the test."""
    made: list[Path] = []
    yield made
    for state in made:
        await asyncio.to_thread(opening.end_all, state)


NAMES = ("one", "two", "three")


async def test_kill_of_a_broker_with_detached_sidecars(
    tmp_path: Path, environments: Path, rounds, rng: random.Random, places: list[Path]
) -> None:
    for number in rounds:
        state = tmp_path / f"state{number}"
        places.append(state)
        async with broker_process(state, environments, "--detached") as served, client_of(served) as client:
            for name in NAMES:
                await load(client, "./faulty", provider_id=name)
            before = await _pids(client)
            readers = [asyncio.ensure_future(_read(client, rng.choice(NAMES))) for _ in range(10)]
            await asyncio.wait(readers, timeout=rng.uniform(0, 0.3))
            os.kill(served.pid, signal.SIGKILL)
            ended, hanging = await asyncio.wait(readers, timeout=30)
            for _ in hanging:
                rounds.hung(f"round {number}: a stream of a dead broker")
            for reader in ended:
                if not isinstance(reader.exception(), MediaConduitError):
                    rounds.lost(f"round {number}: {reader.exception()!r}")
        async with broker_process(state, environments, "--detached") as served, client_of(served) as client:
            if (after := await _pids(client)) != before:
                rounds.lost(f"round {number}: {before} became {after}")
        await asyncio.to_thread(opening.end_all, state)
        if not await asyncio.to_thread(processes.wait_gone, before, 20):
            rounds.leaked(f"round {number}: {before}")


async def _pids(client: Client) -> list[int]:
    """Of the sidecars, in order of name."""
    answers = [await client.model(f"{name}/greet").transform("x") for name in NAMES]
    return [int(answer.text.split()[1]) for answer in answers]


async def _read(client: Client, name: str) -> None:
    async for _ in client.model(f"{name}/endless").stream("x"):
        pass
