"""What a broker serves from its first moment on: all that it had before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.channels import open_channel
from mediaconduit.errors import NotFoundError, Reason, UnavailableError
from mediaconduit_broker.config import ProviderConfig, SourcesConfig, TrustConfig

from tests.support.brokers import GOOD, broker, load, write_provider


@pytest.fixture
async def state(tmp_path: Path, environments: Path) -> Path:
    """The state folder of a broker that has ended, and had the provider `mine`."""
    write_provider(tmp_path / "mine", GOOD)
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, str(tmp_path / "mine"))
    return tmp_path / "state"


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """Beginning of the URLs of a git server that never answers."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("name", ["mine/default", "providers/mine/models/default", "nick", "default", ""])
async def test_the_first_call_after_a_restart_waits_for_its_provider(state: Path, name: str) -> None:
    async with broker(state, aliases={"nick": "mine/default"}) as (_, client):
        capability = "" if name else "text-to-text"
        assert (await client.model(name).transform("x", capability=capability)).text == "one"


async def test_what_is_asked_of_one_that_comes_back_waits_too(state: Path) -> None:
    async with broker(state) as (served, client):
        assert (await client.provider("mine").models())[0].name == "providers/mine/models/default"
    async with broker(state) as (served, client):
        assert (await client.provider("mine").describe()).provider_id == "mine"
    async with broker(state) as (served, client):
        await client.broker.unload("mine")
        assert served.registry.all() == []


async def test_one_that_does_not_come_back_says_why_and_can_be_removed(state: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "mine")
    async with broker(state) as (_, client):
        with pytest.raises(UnavailableError, match="mine did not come back with the broker: ") as caught:
            await client.model("mine/default").transform("x")
        assert caught.value.reason is Reason.PROVIDER_NOT_READY
        with pytest.raises(UnavailableError):
            await client.broker.get("mine")
        await client.broker.unload("mine")
        with pytest.raises(NotFoundError):
            await client.model("mine/default").transform("x")
    async with broker(state) as (served, _):
        assert served.registry.restoring == []


async def test_one_that_did_not_come_back_can_be_loaded_again(state: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").rename(tmp_path / "away")
    async with broker(state) as (_, client):
        with pytest.raises(UnavailableError):
            await client.model("mine/default").transform("x")
        (tmp_path / "away").rename(tmp_path / "mine")
        await load(client, str(tmp_path / "mine"))
        assert (await client.model("mine/default").transform("x")).text == "one"


async def test_a_call_waits_no_longer_than_a_start_may_take(state: Path, silent: str) -> None:
    slow = ProviderConfig(source="github:acme/slow", start_timeout=0.2)
    config = {
        "sources": SourcesConfig(rewrite={"https://github.com/": silent}),
        "trust": TrustConfig(allow=["github:acme/*"]),
    }
    async with broker(state, providers={"slow": slow}, **config) as (served, client):
        with pytest.raises(UnavailableError, match="not back yet since the broker started: slow") as caught:
            await client.model("slow/default").transform("x")
        assert caught.value.retry_after
        assert (await client.model("mine/default").transform("x")).text == "one"
        with pytest.raises(NotFoundError):
            await client.model("providers/other/models/default").transform("x")
        async with open_channel(served.address) as channel:
            request = health_pb2.HealthCheckRequest(service="providers/slow")
            answer = await health_pb2_grpc.HealthStub(channel).Check(request)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
