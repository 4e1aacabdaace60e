"""Real sidecars of `sample_provider`, and calls to them without our client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.channels import open_channel
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit.v1.events_pb2 import TransformEvent
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit.v1.options_pb2 import TransformOptions
from mediaconduit.v1.transform_pb2 import TransformLiveRequest, TransformRequest

HERE = Path(__file__).parent
PREFIX = "providers/sample/models/"


@dataclass
class Sidecar:
    process: Any
    channel: grpc.aio.Channel
    target: str
    log: Path

    @property
    def stub(self) -> provider_pb2_grpc.MediaProviderStub:
        return provider_pb2_grpc.MediaProviderStub(self.channel)

    async def describe(self) -> provider_pb2.DescribeResponse:
        return await self.stub.Describe(provider_pb2.DescribeRequest())

    async def until_health(self, wanted: int, service: str = "mediaconduit.v1.MediaProvider") -> None:
        """Returns when health says so."""
        health = health_pb2_grpc.HealthStub(self.channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=service), wait_for_ready=True)
        async for answer in watch:
            if answer.status == wanted:
                break
        watch.cancel()

    async def until(self, happened: Any) -> provider_pb2.DescribeResponse:
        """Asks Describe until it says so."""
        while not happened(answer := await self.describe()):  # noqa: ASYNC110 - there is no event on the wire
            await asyncio.sleep(0.005)
        return answer

    def call(
        self, model: str, text: str = "", *, metadata: Any = (), timeout: float | None = None, **fields: Any
    ) -> Any:
        return self.stub.Transform(request(model, text, **fields), metadata=metadata, timeout=timeout)

    async def events(self, model: str, text: str = "hi", **fields: Any) -> list[TransformEvent]:
        return await collect(self.call(model, text, **fields))

    async def fails(self, model: str, text: str = "hi", **fields: Any) -> Any:
        """The typed error of a call that must fail."""
        return await error_of(self.call(model, text, **fields))

    async def live(self, *pieces: TransformLiveRequest) -> list[TransformEvent]:
        call = self.stub.TransformLive()
        for piece in pieces:
            await call.write(piece)
        await call.done_writing()
        return await collect(call)


def request(model: str, text: str = "", *parts: Part, **fields: Any) -> TransformRequest:
    given = [Part(text=text)] if text else []
    fields.setdefault("turns", [Turn(parts=[*given, *parts, *fields.pop("parts", ())])])
    name = model if "/" in model else PREFIX + model
    return TransformRequest(model=name, **fields)


async def collect(call: Any) -> list[TransformEvent]:
    events: list[TransformEvent] = []
    while (message := await call.read()) is not grpc.aio.EOF:
        events += message.events
    return events


async def error_of(call: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await collect(call)
    return from_rpc_error(raised.value)


async def until_text(call: Any) -> str:
    """The first text of a call, once there is some: the author's code is past its first yield."""
    while not (text := text_of((await call.read()).events)):
        pass
    return text


def text_of(events: Sequence[TransformEvent]) -> str:
    return "".join(event.output_delta.text for event in events)


def options(**fields: Any) -> TransformOptions:
    return TransformOptions(**fields)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="mc-"))
    yield path
    shutil.rmtree(path)


def command(entry: str) -> list[str]:
    return [sys.executable, "-m", "mediaconduit_provider", entry]


def environment_of(target: str, more: Mapping[str, str]) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MEDIACONDUIT_")}
    env |= {"MEDIACONDUIT_LISTEN": target, "MEDIACONDUIT_PROVIDER": "sample", "MEDIACONDUIT_INSTANCE": "nonce"}
    return env | {"MEDIACONDUIT_LIFELINE": "stdin", **more}


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    entry: str = "sample_provider:Sample",
    *,
    wait: bool = True,
    stdin: int | None = None,
    **environment: str,
) -> AsyncIterator[Sidecar]:
    """A sidecar that is killed when the block ends, if it still runs."""
    target, log = f"unix:{folder}/s", folder / "log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command(entry), cwd=HERE, env=environment_of(target, environment), stdout=sink, stderr=sink,
            stdin=asyncio.subprocess.PIPE if stdin is None else stdin, process_group=0,
        )  # fmt: skip
    try:
        async with open_channel(target) as channel:
            sidecar = Sidecar(process, channel, target, log)
            if wait:
                await sidecar.until_health(health_pb2.HealthCheckResponse.SERVING)
            yield sidecar
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@pytest.fixture(scope="module")
def shared_process() -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """One sidecar for the tests of a module that leave it as they found it."""
    with tempfile.TemporaryDirectory(prefix="mc-") as name:
        target, log = f"unix:{name}/s", Path(name) / "log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command("sample_provider:Sample"), cwd=HERE, env=environment_of(target, {}), stdin=subprocess.PIPE,
                stdout=sink, stderr=sink, process_group=0,
            )  # fmt: skip
        with process:
            yield process, target, log
            assert process.poll() is None, log.read_text()
            process.kill()


@pytest.fixture
async def shared(shared_process: tuple[subprocess.Popen[bytes], str, Path]) -> AsyncIterator[Sidecar]:
    process, target, log = shared_process
    async with open_channel(target) as channel:
        sidecar = Sidecar(process, channel, target, log)
        await sidecar.until_health(health_pb2.HealthCheckResponse.SERVING)
        yield sidecar
        await sidecar.until(lambda answer: answer.active_calls == 0)


@pytest.fixture
async def sidecar(folder: Path) -> AsyncIterator[Sidecar]:
    async with running(folder) as running_one:
        yield running_one
