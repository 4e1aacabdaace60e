"""What happens to sidecars that hang, idle, weigh too much or have no place left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.errors import ExhaustedError, MediaConduitError, Reason
from mediaconduit.v1 import broker_pb2
from mediaconduit_broker.config import Limits, ProviderConfig

from tests.support.brokers import GOOD, broker, load, write_provider

QUICK = {"check_busy": 0.3, "check_idle": 0.5}
READY = broker_pb2.PROVIDER_STATE_READY
STOPPED = broker_pb2.PROVIDER_STATE_STOPPED


async def until(client: Client, true: Callable[[broker_pb2.Provider], bool]) -> broker_pb2.Provider:
    """The first change of a provider for which this holds."""
    async with asyncio.timeout(30), client.broker.watch() as feed:
        async for change in feed:
            if change.HasField("provider") and true(change.provider):
                return change.provider
    raise AssertionError("the broker stopped")


@pytest.fixture
async def quick(tmp_path: Path, environments: Path) -> AsyncIterator[Client]:
    """A broker that looks often, with the faulty provider."""
    limits = Limits(stuck_timeout=0.5, **QUICK)
    async with broker(tmp_path / "state", environments, limits=limits) as (_, client):
        await load(client, "./faulty")
        yield client


async def pid_of(client: Client) -> int:
    return int((await client.model("faulty/greet").transform("x")).text.split()[1])


async def test_a_stopped_process_is_noticed_and_replaced(quick: Client) -> None:
    pid = await pid_of(quick)
    os.kill(pid, signal.SIGSTOP)

    provider = await until(quick, lambda p: p.state == READY and p.start_count == 2)

    assert provider.start_count == 2
    assert await pid_of(quick) != pid


async def test_calls_of_a_process_that_hangs_end_with_a_typed_error(quick: Client) -> None:
    pid = await pid_of(quick)
    async with quick.model("faulty/endless").stream("x") as stream:
        events = aiter(stream)
        await anext(events)
        os.kill(pid, signal.SIGSTOP)

        async def drain() -> None:
            async for _ in events:
                pass

        with pytest.raises(MediaConduitError) as caught:
            async with asyncio.timeout(30):
                await drain()
    assert caught.value.reason is Reason.PROVIDER_CRASHED
    assert (await quick.model("faulty/echo").transform("back")).text == "back "


async def test_a_cancelled_call_that_does_not_end_costs_that_sidecar_alone(quick: Client) -> None:
    await load(quick, "./faulty", provider_id="other")
    async with quick.model("faulty/stubborn").stream("x") as stream:
        async for event in stream:
            if event.text:
                break
    provider = await until(quick, lambda p: p.name == "providers/faulty" and p.state == READY and p.start_count == 2)
    assert provider.start_count == 2
    starts = {p.name: p.start_count for p in await quick.broker.list()}
    assert starts["providers/other"] == 1


async def test_an_idle_sidecar_stops_and_the_next_call_starts_it(tmp_path: Path, environments: Path) -> None:
    limits = Limits(idle_timeout=0.3, **QUICK)
    providers = {"pinned": ProviderConfig(source="cowsay", pinned=True)}
    async with broker(tmp_path / "state", environments, limits=limits, providers=providers) as (_, client):
        await until(client, lambda p: p.name == "providers/pinned" and p.state == READY)
        await load(client, "./faulty")
        await until(client, lambda p: p.name == "providers/faulty" and p.state == STOPPED)
        assert "providers/faulty/models/echo" in [model.name for model in await client.models()]
        assert (await client.model("faulty/echo").transform("awake")).text == "awake "
        starts = {p.name: p.start_count for p in await client.broker.list()}
        assert starts == {"providers/faulty": 2, "providers/pinned": 1}


async def test_calls_that_come_while_it_stops_are_served(tmp_path: Path, environments: Path) -> None:
    limits = Limits(idle_timeout=0.05, check_busy=0.1, check_idle=0.1)
    async with broker(tmp_path / "state", environments, limits=limits) as (_, client):
        await load(client, "./faulty")
        for _ in range(12):
            assert (await client.model("faulty/echo").transform("x")).text == "x "
            await asyncio.sleep(0.09)  # about when it rests


async def test_short_memory_stops_what_nobody_uses(tmp_path: Path, environments: Path) -> None:
    limits = Limits(memory_bytes=1, **QUICK)
    async with broker(tmp_path / "state", environments, limits=limits) as (_, client):
        await load(client, "cowsay")
        await until(client, lambda p: p.state == STOPPED)
        assert "back" in (await client.model("cowsay/default").transform("back")).text


SLOW = GOOD.replace(
    "        yield VERSION\n", "        import asyncio\n\n        yield 'in'\n        await asyncio.sleep(0.3)\n"
).replace("class Mine(Provider):", "class Mine(Provider):\n    max_concurrency = 2")


async def test_calls_wait_their_turn_and_learn_how_long(client: Client, tmp_path: Path) -> None:
    await load(client, str(write_provider(tmp_path / "mine", SLOW)))
    results = await asyncio.gather(*(client.model("mine/default").transform("x") for _ in range(6)))
    waits = sorted(result.provenance.queue_duration.ToMilliseconds() for result in results)
    assert waits[0] < 100
    assert waits[-1] >= 500


async def test_one_call_too_many_is_told_the_limit(tmp_path: Path, environments: Path) -> None:
    async with broker(tmp_path / "state", environments, limits=Limits(queue_length=0)) as (_, client):
        await load(client, str(write_provider(tmp_path / "mine", SLOW.replace("sleep(0.3)", "sleep(60)"))))
        model = client.model("mine/default")
        async with model.stream("x") as first, model.stream("x") as second:
            for stream in (first, second):
                await anext(aiter(stream))
            with pytest.raises(ExhaustedError) as caught:
                await model.transform("x")
    assert caught.value.reason is Reason.OVERLOADED
    assert caught.value.retry_after is not None
    assert "2 places" in caught.value.message


async def test_reported_progress_gives_a_slow_start_more_time(client: Client, tmp_path: Path) -> None:
    code = GOOD + (
        "\n\nasync def setup(self):\n    import asyncio\n\n    for step in range(5):\n"
        '        self.report_loading(step / 5, f"step {step}")\n        await asyncio.sleep(1.1)\n'
        "\n\nMine.setup = setup\n"
    )
    manifest = "id: mine\nversion: 1.0.0\nruntime: python\nentry: mine_provider:Mine\nstart_timeout: 3\n"
    messages = await load(client, str(write_provider(tmp_path / "mine", code, manifest=manifest)))
    assert messages[-1] == "ready"
    assert any(message.startswith("step ") for message in messages)


async def test_waits_are_counted(client: Client, tmp_path: Path) -> None:
    await load(client, str(write_provider(tmp_path / "mine", SLOW)))
    await asyncio.gather(*(client.model("mine/default").transform("x") for _ in range(4)))
    (provider,) = await client.broker.list()
    assert provider.queue_count == 2
    assert provider.queue_duration.ToMilliseconds() >= 2 * 200
