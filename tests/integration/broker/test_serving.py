"""Starting and stopping a broker."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.config import Config
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
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, "./faulty")
        sidecars = psutil.Process().children(recursive=True)
        stream = client.model("faulty/endless").stream("x")
        await anext(aiter(stream))
    assert sidecars
    assert not [process for process in sidecars if process.is_running() and process.status() != "zombie"]


async def test_a_config_names_providers_to_load_at_start(tmp_path: Path, environments: Path) -> None:
    from mediaconduit_broker.config import ProviderConfig

    providers = {"greeter": ProviderConfig(source="./faulty", settings={"greeting": "configured"})}
    async with broker(tmp_path / "state", environments, providers=providers) as (_, client):
        async with client.broker.watch() as feed:
            async for change in feed:
                if change.provider.serving:
                    break
        result = await client.model("greeter/greet").transform("x")
        assert result.text.startswith("configured ")
