"""Sidecars that are killed or stopped, many times, at moments chosen by chance."""

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
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit_broker.config import Limits

from tests.support.brokers import broker, load

pytestmark = pytest.mark.timeout(600)
TYPED = {Reason.PROVIDER_CRASHED, Reason.PROVIDER_NOT_READY, Reason.PROVIDER_DRAINING}


@pytest.fixture
async def client(tmp_path: Path, environments: Path) -> AsyncIterator[Client]:
    limits = Limits(check_busy=0.3, check_idle=1.0)
    async with broker(tmp_path / "state", environments, limits=limits) as (_, connected):
        await load(connected, "./faulty")
        yield connected


def sidecar_pid() -> int:
    """The one sidecar of the broker in this process."""
    (pid,) = [
        process.pid
        for process in psutil.Process().children(recursive=True)
        if "faulty_provider:Faulty" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    ]
    return pid


async def calls(client: Client, rounds, count: int, kill_after: float, number: int) -> None:
    """So many calls at once while the sidecar is killed; each ends with its text or a typed error."""

    async def one() -> None:
        try:
            async with asyncio.timeout(30):
                result = await client.model("faulty/runs").transform("x")
            if not result.text.startswith("run "):
                rounds.lost(f"round {number}: {result.text!r}")
        except TimeoutError:
            rounds.hung(f"round {number}")
        except MediaConduitError as error:
            if error.reason not in TYPED:
                rounds.lost(f"round {number}: {error!r}")

    async def kill() -> None:
        await asyncio.sleep(kill_after)
        os.kill(sidecar_pid(), signal.SIGKILL)

    async with asyncio.TaskGroup() as group:
        group.create_task(kill())
        for _ in range(count):
            group.create_task(one())


async def serves_again(client: Client) -> None:
    """The next call works, also when the crash loop's back-off has to be waited for."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert (await client.model("faulty/echo").transform("back")).text == "back "
                return
            except MediaConduitError as error:
                if error.reason not in TYPED:
                    raise
                # Killed again and again it is given up, as it should be: an operator loads it again.
                await load(client, "./faulty")


async def test_kill_of_a_sidecar_before_during_and_after_a_stream(client: Client, rounds, rng: random.Random) -> None:
    for number in rounds:
        await calls(client, rounds, 8, rng.choice([0.0, rng.uniform(0, 0.25), 0.25]), number)
        await serves_again(client)


async def test_a_stopped_sidecar_is_replaced(client: Client, rounds, rng: random.Random) -> None:
    for number in rounds:
        pid = sidecar_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                await client.model("faulty/echo").transform("x", timeout=10)
        except MediaConduitError as error:
            if error.reason not in TYPED | {Reason.DEADLINE_EXCEEDED}:
                rounds.lost(f"round {number}: {error!r}")
        except TimeoutError:
            rounds.hung(f"round {number}")
        await serves_again(client)
        if psutil.pid_exists(pid) and psutil.Process(pid).status() == psutil.STATUS_STOPPED:
            rounds.leaked(f"process {pid}")


async def test_clients_that_cancel_at_random_moments(client: Client, rounds, rng: random.Random) -> None:
    for number in rounds:
        rounds.tried(199)

        async def one(moment: float) -> None:
            try:
                async with asyncio.timeout(moment):
                    await client.model("faulty/endless").transform("x")
            except TimeoutError:
                pass
            except MediaConduitError as error:
                if error.reason is not Reason.OVERLOADED:
                    rounds.lost(f"{error!r}")

        await asyncio.gather(*(one(rng.uniform(0, 0.5)) for _ in range(200)))
        async with asyncio.timeout(30):
            while (await client.provider("faulty").describe()).active_calls:
                pass
        (provider,) = await client.broker.list()
        if provider.active_calls or provider.queued_calls or provider.stuck_calls:
            rounds.leaked(f"round {number}: {provider.active_calls} calls")


async def test_a_slow_reader_holds_up_nobody_else(client: Client, rounds) -> None:
    for _ in rounds:
        async with client.model("faulty/hose").stream("x") as slow:
            await anext(aiter(slow))
            try:
                async with asyncio.timeout(30):
                    for _ in range(20):
                        await client.model("faulty/echo").transform("x")
            except TimeoutError:
                rounds.hung("calls beside a slow reader")
