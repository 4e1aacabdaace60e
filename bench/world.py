"""What is measured, as in real life: the broker's own process, sidecars in the environments it has built."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit import connect
from mediaconduit.channels import open_channel
from mediaconduit.client import Client

from bench.processes import ROOT, Measured, running

PROVIDERS = Path(__file__).parent / "providers"
COWSAY = ROOT / "providers" / "cowsay"


@dataclass(frozen=True, slots=True)
class Served:
    """A broker that runs."""

    process: Measured
    address: str
    client: Client
    state: Path

    async def load(self, folder: Path, provider_id: str = "") -> None:
        """Loads a provider, whatever that takes."""
        async for _ in self.client.broker.load(str(folder), provider_id=provider_id):
            pass

    async def environment(self, provider_id: str) -> Path:
        """Folder of its environment."""
        return self.state / "environments" / (await self.client.broker.get(provider_id)).environment.key

    def sidecars(self) -> list[psutil.Process]:
        """The broker's children."""
        return psutil.Process(self.process.pid).children()

    def sidecar(self, provider_id: str) -> psutil.Process:
        """One of them."""
        for process in self.sidecars():
            if process.environ().get("MEDIACONDUIT_PROVIDER") == provider_id:
                return process
        raise LookupError(f"{provider_id} has no sidecar")


class World:
    """Starts what a row needs. Brokers share one folder of environments, so that each is built once."""

    def __init__(self, folder: Path, *, full: bool) -> None:
        self.folder = folder
        self.full = full
        """Rows that are scaled down by default are not."""
        self.environments = folder / "environments"
        self.environments.mkdir()
        self.log = folder / "log"

    @contextlib.asynccontextmanager
    async def broker(self, *, shared: bool = True) -> AsyncIterator[Served]:
        """A broker with nothing loaded, ended with its sidecars."""
        with tempfile.TemporaryDirectory(prefix="broker-", dir=self.folder) as name:
            state = Path(name)
            if shared:
                (state / "environments").symlink_to(self.environments)
            command = (
                str(Path(sys.executable).with_name("mediaconduit")),
                *("up", "--listen", "127.0.0.1:0", "--state-dir", name),
            )
            async with running(*command, cwd=state, log=self.log) as process:
                address = (await process.hear("mediaconduit ")).rpartition(" ")[2]
                async with connect(address) as client:
                    yield Served(process, address, client, state)

    async def interpreter(self) -> Path:
        """Python of an environment as the broker builds it for a provider without requirements."""
        async with self.broker() as served:
            await served.load(PROVIDERS / "hosted")
            key = (await served.environment("hosted")).name
        return self.environments / key / "bin" / "python"

    @contextlib.asynccontextmanager
    async def alone(self, python: Path, provider: str, *command: str) -> AsyncIterator[tuple[Measured, str]]:
        """A sidecar without a broker: its process and its address."""
        with tempfile.TemporaryDirectory(prefix="mc-") as sockets:
            target = f"unix:{sockets}/s"
            environ = {
                **{key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
                "MEDIACONDUIT_LISTEN": target,
                "MEDIACONDUIT_LIFELINE": "stdin",
                "MEDIACONDUIT_PROVIDER": provider,
            }
            async with running(
                str(python), *command, cwd=PROVIDERS / provider, environ=environ, log=self.log, heard=False
            ) as process:
                await _serving(target)
                yield process, target


async def _serving(target: str) -> None:
    async with open_channel(target) as channel, asyncio.timeout(30):
        request = health_pb2.HealthCheckRequest(service="mediaconduit.v1.MediaProvider")
        health: Any = health_pb2_grpc.HealthStub(channel)
        async for answer in health.Watch(request, wait_for_ready=True):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
