"""Real broker processes that are killed and started again on one state folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit import connect
from mediaconduit.channels import open_channel
from mediaconduit.client import Client
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.runners import opening
from mediaconduit_broker.runners.journal import Journal, Record

from tests.integration.cli.conftest import Up, down, up
from tests.support.brokers import PROVIDERS

FAULTY = str(PROVIDERS / "faulty")


@dataclass
class Place:
    """A state folder and the brokers that were started on it."""

    state: Path
    environments: Path
    started: list[tuple[Up, threading.Thread]] = field(default_factory=list)

    def up(self, *arguments: str, lease: float = 60) -> Up:
        """Starts a broker; returns once it serves."""
        config = self.state.parent / "mediaconduit.toml"
        config.write_text(f"lease_seconds = {lease}\n[limits]\ndrain_timeout = 2\n")
        self.started.append(up(self.state, self.environments, "--config", str(config), *arguments))
        return self.started[-1][0]

    def kill(self) -> None:
        """SIGKILL to the last broker."""
        self.started[-1][0].stop(signal.SIGKILL)

    @property
    def records(self) -> list[Record]:
        """What the journal has."""
        return Journal(self.state).all()

    @property
    def folders(self) -> list[Path]:
        """Where sockets and temporary files are."""
        return [Path(name) for name in json.loads((self.state / "sockets.json").read_text())]

    @property
    def keeper(self) -> int:
        """Process id of the keeper; 0 when there is none."""
        folder = str(self.folders[0] / "keeper")
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if folder in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    return process.pid
        return 0


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments that all brokers of a run share, so that each is built once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def place(tmp_path: Path, environments: Path) -> Iterator[Place]:
    """A state folder; what was started on it ends with the test."""
    made = Place(tmp_path / "state", environments)
    yield made
    for broker, reader in made.started:
        if broker.process.poll() is None:
            broker.process.kill()
        down(broker, reader)
    opening.end_all(made.state)


@contextlib.asynccontextmanager
async def client_of(broker: Up, provider: str = "") -> AsyncIterator[Client]:
    """A client, once this provider, added before, takes calls again."""
    if provider:
        await ready(broker, provider)
    async with connect(broker.address) as client:
        yield client


async def ready(broker: Up, provider: str = "faulty") -> None:
    """Returns once a provider that was added before takes calls again."""
    async with open_channel(broker.address) as channel, asyncio.timeout(20):
        request = health_pb2.HealthCheckRequest(service=f"providers/{provider}")
        async for answer in health_pb2_grpc.HealthStub(channel).Watch(request):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return


def gone(*pids: int) -> bool:
    """Whether all these have ended; waits for it."""
    return processes.wait_gone(pids, 20)


async def log_of(client: Client, provider: str, until: str = "") -> str:
    """Its lines, once one of them has this text."""
    lines: list[str] = []
    async with client.broker.tail_logs(provider, lines=1000, follow=True) as feed, asyncio.timeout(20):
        async for answer in feed:
            lines += [line.text for line in answer.lines]
            if any(until in line for line in lines):
                break
    return "\n".join(lines)
