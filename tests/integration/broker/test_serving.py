"""Starting and stopping a broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from mediaconduit import connect
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.config import Config, Limits, ProviderConfig
from mediaconduit_broker.server import running

from tests.support.brokers import broker, load


async def test_a_port_in_use_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        config = Config(listen=listen, state_dir=str(tmp_path))
        with pytest.raises(PreconditionError, match="in use") as caught:
            async with running(config, os.environ, base=tmp_path):
                pass
    assert "--listen" in caught.value.hint


async def test_one_broker_for_each_state_folder(tmp_path: Path) -> None:
    async with broker(tmp_path / "state"):
        with pytest.raises(PreconditionError, match="another broker"):
            async with broker(tmp_path / "state"):
                pass


async def test_nothing_is_left_when_a_broker_stops_with_calls_running(tmp_path: Path, environments: Path) -> None:
    others = set(psutil.Process().children(recursive=True))  # brokers of wider fixtures, say
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, "./faulty")
        sidecars = set(psutil.Process().children(recursive=True)) - others
        stream = client.model("faulty/endless").stream("x")
        await anext(aiter(stream))
    assert sidecars
    assert not [process for process in sidecars if process.is_running() and process.status() != "zombie"]


async def test_a_config_names_providers_to_load_at_start(tmp_path: Path, environments: Path) -> None:
    providers = {"greeter": ProviderConfig(source="./faulty", settings={"greeting": "configured"})}
    async with broker(tmp_path / "state", environments, providers=providers) as (_, client):
        async with client.broker.watch() as feed:
            async for change in feed:
                if change.provider.serving:
                    break
        result = await client.model("greeter/greet").transform("x")
        assert result.text.startswith("configured ")


async def test_clients_that_follow_do_not_hold_up_the_end(tmp_path: Path, environments: Path) -> None:
    config = Config(listen="127.0.0.1:0", state_dir=str(tmp_path), limits=Limits(drain_timeout=600))
    (tmp_path / "environments").symlink_to(environments)
    async with contextlib.AsyncExitStack() as stack:
        serving = contextlib.AsyncExitStack()
        served = await serving.enter_async_context(running(config, os.environ, base=tmp_path))
        client = await stack.enter_async_context(connect(served.address))
        await load(client, "cowsay")
        feeds = [client.broker.tail_logs("cowsay", lines=0, follow=True), client.broker.watch()]
        ends = [asyncio.ensure_future(_to_the_end(feed)) for feed in feeds]
        await client.broker.list()
        await serving.aclose()
        await asyncio.gather(*ends)


async def _to_the_end(feed: AsyncIterator[object]) -> None:
    async for _ in feed:
        pass
