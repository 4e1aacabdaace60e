"""What a sidecar that takes too much is told, and whoever called it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.errors import AccessError, Reason, UnavailableError
from mediaconduit_broker.config import IsolationConfig, ProviderConfig, ResourceLimits
from mediaconduit_broker.isolation import Machine

from tests.integration.isolation.conftest import Brokers, as_root, with_bubblewrap, with_shared_python
from tests.support.brokers import load

MEMORY = 256 * 1024 * 1024
machine = Machine.look()
with_groups = pytest.mark.skipif(
    machine.cgroups is None or not machine.cgroups.controllers >= {"memory", "pids"},
    reason="no control groups for memory and processes can be made here",
)


async def ask(client: Client, model: str, text: str = "x") -> str:
    return (await client.model(f"hostile/{model}").transform(text, timeout=60)).text


def limited(sandbox: str = "off", **limits: int) -> IsolationConfig:
    return IsolationConfig(users="off", sandbox=sandbox, limits=ResourceLimits(**limits))  # type: ignore[arg-type]


@with_groups
@pytest.mark.parametrize("sandbox", ["off", pytest.param("bubblewrap", marks=with_bubblewrap)])
async def test_out_of_memory_names_the_limit(brokers: Brokers, sandbox: str) -> None:
    async with brokers(isolation=limited(sandbox, memory_bytes=MEMORY)) as (_, client):
        await load(client, "./hostile")
        with pytest.raises(UnavailableError) as caught:
            await ask(client, "memory")
        error = caught.value
        assert error.reason is Reason.PROVIDER_CRASHED
        assert (error.metadata["limit"], error.metadata["limit_value"]) == ("memory_bytes", str(MEMORY))
        assert f"limit of {MEMORY} memory bytes" in error.message
        assert "[providers.hostile.limits]" in error.hint
        assert error.metadata["signal"] == "9"
        assert json.loads(await ask(client, "about"))["pid"]  # it comes back


@with_groups
async def test_a_provider_s_own_limit_wins(brokers: Brokers) -> None:
    own = ProviderConfig(source="./hostile", limits=ResourceLimits(processes=40))
    async with brokers(isolation=limited(processes=10_000), providers={"hostile": own}) as (_, client):
        await load(client, "./hostile")
        assert "Resource temporarily unavailable after" in await ask(client, "fork", "100")


@as_root
async def test_open_files_are_limited(brokers: Brokers) -> None:
    async with brokers(isolation=limited(open_files=200)) as (_, client):
        await load(client, "./hostile")
        assert await ask(client, "files", "400") == "Too many open files"
        assert await ask(client, "files", "50") == "no limit"


@with_bubblewrap
async def test_a_sandbox_has_no_network_unless_the_manifest_asks(brokers: Brokers, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "providers" / "hostile"
    asking = tmp_path / "asking"
    asking.mkdir()
    for file in source.glob("*.py"):
        (asking / file.name).write_text(file.read_text())
    manifest = (source / "MediaConduit.provider.yml").read_text()
    (asking / "MediaConduit.provider.yml").write_text(manifest.replace("id: hostile", "id: asking\nnetwork: true"))
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    async with server, brokers(isolation=IsolationConfig(users="off", sandbox="bubblewrap")) as (_, client):
        await load(client, "./hostile")
        await load(client, str(asking))
        assert await ask(client, "network", port) in ("Network is unreachable", "Connection refused")
        assert (await client.model("asking/network").transform(port)).text == "connected"


@with_bubblewrap
async def test_a_sandboxed_sidecar_is_drained_and_leaves_nothing(brokers: Brokers) -> None:
    async with brokers(isolation=IsolationConfig(sandbox="bubblewrap")) as (broker, client):
        await load(client, "./hostile")
        instance = broker.registry.get("hostile").instance
        assert instance is not None
        about = json.loads(await ask(client, "about"))
        await client.broker.unload("hostile")
        ended = instance.sidecar.exit
        assert ended is not None
        assert (ended.code, ended.signal) == (0, None)
        assert not Path(about["temporary"]).exists()
        assert not Path(about["home"]).exists()


@as_root
@with_shared_python
async def test_a_source_others_may_not_read_falls_back_or_is_refused(brokers: Brokers, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    source = Path(__file__).parents[2] / "providers" / "hostile"
    for file in source.iterdir():
        if file.is_file():
            (closed / file.name).write_text(file.read_text())
    async with brokers() as (_, client):
        await load(client, str(closed), provider_id="hostile")
        assert json.loads(await ask(client, "about"))["uid"] == 0
        warnings = " ".join((await client.broker.get("hostile")).warnings)
        assert "others may not read its source" in warnings
        assert "not isolated" in warnings
    async with brokers(isolation=IsolationConfig(users="required")) as (_, client):
        with pytest.raises(AccessError, match="cannot have a user of its own") as caught:
            await load(client, str(closed), provider_id="other")
        assert caught.value.reason is Reason.NOT_ALLOWED
