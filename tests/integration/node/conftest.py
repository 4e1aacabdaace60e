"""Node providers: in a broker, or as a sidecar alone; environments are built once a session."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit import connect, tasks
from mediaconduit.channels import open_channel
from mediaconduit.client import Client
from mediaconduit_broker.config import Config
from mediaconduit_broker.environments import EnvironmentBuilder, EnvironmentRequest
from mediaconduit_broker.environments.node import HOST
from mediaconduit_broker.manifest import read_manifest
from mediaconduit_broker.server import Broker, running

from tests.support.brokers import PROVIDERS

ORIGINALS = PROVIDERS / "originals"
PLACES = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "NPM_CONFIG_USERCONFIG")
REDIRECT = Path(__file__).parent / "redirect.cjs"

Start = Callable[..., AbstractAsyncContextManager[tuple[Broker, Client]]]
Sidecar = Callable[..., AbstractAsyncContextManager["Alone"]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Node.js and npm nothing of this runs."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    reason = f"this machine has no {missing[0]}" if missing else ""
    if not reason and not (HOST / "provider.tgz").is_file():
        reason = "the Node host is not built: make node-host"
    for item in items if reason else ():
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def start(tmp_path: Path, environments: Path) -> Start:
    """Starts a broker with these variables."""

    @contextlib.asynccontextmanager
    async def start(environ: Mapping[str, str] | None = None, **config: Any) -> AsyncIterator[tuple[Broker, Client]]:
        state = tmp_path / "state"
        state.mkdir(exist_ok=True)
        if not (state / "environments").exists():
            (state / "environments").symlink_to(environments)
        made = Config(**{"listen": "127.0.0.1:0", "state_dir": str(state)} | config)
        variables = {name: os.environ[name] for name in PLACES if name in os.environ} | dict(environ or {})
        async with running(made, variables, base=PROVIDERS) as served, connect(served.address) as client:
            yield served, client

    return start


@dataclass
class Alone:
    """A sidecar without a broker."""

    target: str
    client: Client
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    """What it wrote."""
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def line(self, text: str) -> str:
        """The first line with this in it; waits for it."""
        async with asyncio.timeout(10), self.news:
            while not (found := [line for line in self.lines if text in line]):
                await self.news.wait()
        return found[0]

    async def read(self) -> None:
        """Reads until it ends."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self.news:
                self.lines.append(line.decode())
                self.news.notify_all()


@pytest.fixture
def sidecar(environments: Path) -> Sidecar:
    """Builds a provider's environment and starts it: `async with sidecar(folder, {"KEY": …}) as alone`."""

    @contextlib.asynccontextmanager
    async def start(
        folder: Path, variables: Mapping[str, str] | None = None, *, ready: bool = True
    ) -> AsyncIterator[Alone]:
        manifest = read_manifest(folder)
        builder = EnvironmentBuilder(environments, os.environ, timeout=300)
        request = EnvironmentRequest(provider_id=manifest.id, source=f"file:{folder}", folder=folder, manifest=manifest)
        environment = await builder.ensure(request)
        with tempfile.TemporaryDirectory(prefix="mc-") as sockets:
            target = f"unix:{sockets}/s"
            process = await asyncio.create_subprocess_exec(
                *environment.command,
                cwd=environment.working_folder,
                env={
                    **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
                    "MEDIACONDUIT_LISTEN": target,
                    "MEDIACONDUIT_INSTANCE": "test-instance",
                    "MEDIACONDUIT_LIFELINE": "stdin",
                    "MEDIACONDUIT_PROVIDER": manifest.id,
                    **(variables or {}),
                },
                stdin=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            assert process.stdin is not None
            alone = Alone(target, connect(target), process)
            reading = tasks.start(alone.read(), name="lines")
            try:
                if ready:
                    await _serving(target)
                async with alone.client:
                    yield alone
            finally:
                process.stdin.close()
                async with asyncio.timeout(10):
                    await process.wait()
                    await reading
                environment.release()
                await builder.aclose()

    return start


async def _serving(target: str) -> None:
    async with open_channel(target) as channel:
        request = health_pb2.HealthCheckRequest(service="mediaconduit.v1.MediaProvider")
        watch = health_pb2_grpc.HealthStub(channel).Watch(request, wait_for_ready=True, timeout=20)
        async for answer in watch:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                watch.cancel()
                return
