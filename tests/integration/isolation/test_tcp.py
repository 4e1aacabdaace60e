"""Sidecars over TCP: the broker gets in, nobody else does."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path

import grpc
import psutil
import pytest
from mediaconduit.channels import MutualTls, open_channel
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit_broker.config import IsolationConfig
from mediaconduit_broker.isolation.certificates import Identity
from mediaconduit_broker.runners.process import ProcessSidecar
from mediaconduit_broker.supervision import Instance

from tests.integration.isolation.conftest import Brokers, with_bubblewrap
from tests.support.brokers import load


async def answers(target: str, tls: MutualTls | None) -> bool:
    """Whether a caller with this proof gets an answer."""
    async with open_channel(target, tls) as channel:
        try:
            await provider_pb2_grpc.MediaProviderStub(channel).Describe(  # type: ignore[misc]
                provider_pb2.DescribeRequest(), timeout=3
            )
        except grpc.aio.AioRpcError:
            return False
    return True


def running(instance: Instance | None) -> Instance:
    assert instance is not None
    return instance


async def test_only_the_broker_gets_in(brokers: Brokers) -> None:
    async with brokers(isolation=IsolationConfig(users="off", transport="tcp")) as (broker, client):
        await load(client, "./hostile", provider_id="hostile")
        await load(client, "./hostile", provider_id="other")
        assert json.loads((await client.model("hostile/about").transform("x")).text)["pid"]
        sidecar, other = (running(broker.registry.get(name).instance).sidecar for name in ("hostile", "other"))
        assert sidecar.target.startswith("127.0.0.1:")
        ours, theirs = sidecar.tls, other.tls
        assert ours is not None
        assert theirs is not None
        stranger = Identity.make()

        assert await answers(sidecar.target, ours)
        assert not await answers(sidecar.target, None)
        # Somebody else's certificate, as good as ours but for not being ours.
        assert not await answers(sidecar.target, MutualTls(stranger.certificate, stranger.key, ours.peer))
        # Another process answers at the port: the broker does not speak to it.
        assert not await answers(other.target, MutualTls(ours.certificate, ours.key, ours.peer))


async def test_its_key_is_a_file_of_its_own_that_ends_with_it(brokers: Brokers) -> None:
    async with brokers(isolation=IsolationConfig(users="off", transport="tcp")) as (broker, client):
        await load(client, "./hostile")
        (folder,) = (Path(path) for path in _folders(broker.registry.get("hostile").instance))
        key = folder / "key.pem"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(key.stat().st_mode) == 0o400
        assert key.stat().st_uid == os.getuid()
        await client.broker.unload("hostile")
        assert not folder.exists()


def _folders(instance: Instance | None) -> list[str]:
    sidecar = running(instance).sidecar
    assert isinstance(sidecar, ProcessSidecar)
    variables = psutil.Process(sidecar.pid).environ()
    return sorted({os.path.dirname(value) for name, value in variables.items() if name.startswith("MEDIACONDUIT_TLS")})


@with_bubblewrap
async def test_a_sandbox_without_network_keeps_its_unix_socket(brokers: Brokers) -> None:
    tcp = IsolationConfig(users="off", transport="tcp", sandbox="bubblewrap")
    async with brokers(isolation=tcp) as (broker, client):
        await load(client, "./hostile")
        assert running(broker.registry.get("hostile").instance).sidecar.target.startswith("unix:")
        assert json.loads((await client.model("hostile/about").transform("x")).text)["pid"]


@pytest.mark.parametrize("missing", ["CERTIFICATE", "KEY", "PEER"])
async def test_a_host_with_half_of_it_does_not_start_open(tmp_path: Path, missing: str) -> None:
    identity = Identity.make()
    texts = {"CERTIFICATE": identity.certificate, "KEY": identity.key, "PEER": identity.certificate}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    given = {f"MEDIACONDUIT_TLS_{name}": str(tmp_path / name) for name in texts if name != missing}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mediaconduit_provider", "hostile_provider:Hostile"),
        env=dict(os.environ) | given | {"MEDIACONDUIT_LISTEN": "127.0.0.1:0"},
        cwd=Path(__file__).parents[2] / "providers" / "hostile",
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 64
    assert b"MEDIACONDUIT_TLS" in said
