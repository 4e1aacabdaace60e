"""The same provider in each language that has a host, built once, as a process for each test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.channels import open_channel
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit.v1.events_pb2 import TransformEvent
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.transform_pb2 import TransformRequest
from mediaconduit_broker.environments import hosts

ROOT = Path(__file__).parents[3]
BEHAVE = Path(__file__).parent / "behave"
CACHE = ROOT / ".cache"
NONCE = "the nonce"
SERVICE = "mediaconduit.v1.MediaProvider"
SECONDS = 30.0

# Building from nothing fetches libraries and compiles them.
BUILDS = {
    "go": (["go", "build", "-o", str(CACHE / "behave-go"), "."], CACHE / "behave-go"),
    "rust": (["cargo", "build", "--release", "--locked", "--quiet"], CACHE / "cargo" / "release" / "behave"),
}


def build(language: str) -> Path:
    """The program of a language; skips where its toolchain is missing."""
    command, made = BUILDS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"this machine has no `{command[0]}`")
    folder = BEHAVE / language
    hosts.link(hosts.wanted(folder), folder)
    environ = {**os.environ, "CARGO_TARGET_DIR": str(CACHE / "cargo")}
    built = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return made


@pytest.fixture(scope="session", params=["python", "go", "rust"])
def program(request: pytest.FixtureRequest) -> list[str]:
    """What starts the provider."""
    if request.param == "python":
        return [sys.executable, "-m", "mediaconduit_provider", "behave_provider:Behave"]
    return [str(build(request.param))]


@dataclass(slots=True)
class Running:
    """The provider, as a broker would have started it."""

    process: asyncio.subprocess.Process
    target: str
    channel: grpc.aio.Channel
    stub: Any
    health: Any
    log: list[str] = field(default_factory=list)

    async def describe(self) -> provider_pb2.DescribeResponse:
        said: provider_pb2.DescribeResponse = await self.stub.Describe(
            provider_pb2.DescribeRequest(), wait_for_ready=True, timeout=SECONDS
        )
        return said

    async def until(self, status: int) -> None:
        """Returns when its health says so."""
        watch = self.health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), wait_for_ready=True, timeout=SECONDS)
        async for answer in watch:
            if answer.status == status:
                watch.cancel()
                return

    async def ready(self) -> None:
        await self.until(health_pb2.HealthCheckResponse.SERVING)

    async def configure(self, settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> None:
        request = provider_pb2.ConfigureRequest(secrets=secrets or {})
        if settings is not None:
            request.settings.update(settings)
        await self.stub.Configure(request, wait_for_ready=True, timeout=SECONDS)

    def call(self, model: str, text: str = "x", **options: Any) -> Any:
        """Begins a call; `extra` and `metadata` are its own, the rest is the request's."""
        metadata = options.pop("metadata", ())
        request = ask(model, Part(text=text))
        for name, value in options.pop("extra", {}).items():
            request.options.extra[name] = value
        request.MergeFrom(TransformRequest(**options))
        return self.stub.Transform(request, timeout=SECONDS, metadata=metadata)

    async def events(self, model: str, text: str = "x", **options: Any) -> list[TransformEvent]:
        return [event async for message in self.call(model, text, **options) for event in message.events]

    async def wait(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()


def ask(model: str, part: Part) -> TransformRequest:
    return TransformRequest(model=f"providers/behave/models/{model}", turns=[Turn(role=Role.ROLE_USER, parts=[part])])


def text_of(events: list[TransformEvent]) -> str:
    return "".join(event.output_delta.text for event in events)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(program: list[str]) -> Start:
    """Starts it with these variables; its lifeline closes at the end."""

    @contextlib.asynccontextmanager
    async def started(**variables: str) -> AsyncIterator[Running]:
        with tempfile.TemporaryDirectory(prefix="mc-") as sockets:
            target = f"unix:{sockets}/s"
            environ = {
                **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
                "MEDIACONDUIT_LISTEN": target,
                "MEDIACONDUIT_INSTANCE": NONCE,
                "MEDIACONDUIT_LIFELINE": "stdin",
                "MEDIACONDUIT_PROVIDER": "behave",
                "MEDIACONDUIT_PROVIDER_VERSION": "1.2.3",
                "TMPDIR": sockets,
            }
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *program, cwd=BEHAVE / "python", env={**environ, **variables}, stdin=pipe, stderr=pipe,
                stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            async with (
                open_channel(variables.get("MEDIACONDUIT_LISTEN", target)) as channel,
                asyncio.TaskGroup() as group,
            ):
                stub, health = provider_pb2_grpc.MediaProviderStub(channel), health_pb2_grpc.HealthStub(channel)
                running = Running(process, target, channel, stub, health)
                group.create_task(read_lines(process, running.log), name="log")
                try:
                    yield running
                finally:
                    assert process.stdin is not None
                    process.stdin.close()
                    await running.wait()

    return started


async def read_lines(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode().rstrip("\n"))


@pytest.fixture
async def running(start: Start) -> AsyncIterator[Running]:
    """One that takes calls."""
    async with start() as made:
        await made.ready()
        yield made
