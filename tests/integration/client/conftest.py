"""A small real server that answers as a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from mediaconduit import Client, connect
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.v1 import events_pb2 as e
from mediaconduit.v1 import provider_pb2_grpc

Handler = Callable[[Any, grpc.aio.ServicerContext], Awaitable[None]]


class Server(provider_pb2_grpc.MediaProviderServicer):
    """Runs `transform` and `live` as given; both write to the context."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.cancelled = asyncio.Event()
        self.transform: Handler | None = None
        self.live: Handler | None = None

    def out(self, context: Any) -> Outgoing:
        return Outgoing(context)

    async def say(self, words: list[str], context: Any) -> None:
        """A whole answer in text."""
        out = Outgoing(context)
        await out.start()
        await out.text(*words)
        await out.complete()

    async def endless(self, _: Any, context: Any) -> None:
        """Begins an answer and never ends it."""
        out = Outgoing(context)
        await out.start()
        await out.send(e.OutputStarted(kind=e.OUTPUT_KIND_TEXT), e.OutputDelta(text="once "))
        await asyncio.Event().wait()

    async def _run(self, handler: Handler | None, request: Any, context: Any) -> None:
        self.metadata.append(dict(context.invocation_metadata()))
        assert handler is not None, "the test expects no such call"
        try:
            await handler(request, context)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def Transform(self, request: Any, context: Any) -> None:  # noqa: N802
        self.requests.append(request)
        await self._run(self.transform, request, context)

    async def TransformLive(self, requests: Any, context: Any) -> None:  # noqa: N802
        await self._run(self.live, requests, context)


class Outgoing:
    """Writes a call's events with the right numbers."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.sequence = 0

    async def send(self, *events: Any) -> None:
        wrapped = []
        for event in events:
            self.sequence = 1 if isinstance(event, e.Started) else self.sequence + 1
            wrapped.append(e.TransformEvent(sequence=self.sequence, **{FIELDS[type(event)]: event}))
        await self.context.write(e.TransformResponse(events=wrapped))

    async def start(self, model: str = "providers/p/models/m") -> None:
        await self.send(e.Started(generation="generations/1", model=model))

    async def text(self, *pieces: str, index: int = 0) -> None:
        await self.send(e.OutputStarted(index=index, kind=e.OUTPUT_KIND_TEXT, media_type="text/plain"))
        for piece in pieces:
            await self.send(e.OutputDelta(index=index, text=piece))
        await self.send(e.OutputCompleted(index=index))

    async def complete(self, **fields: Any) -> None:
        await self.send(e.Completed(finishes=[e.Finish(reason=e.FINISH_REASON_STOP)], **fields))


FIELDS = {
    e.Started: "started",
    e.OutputStarted: "output_started",
    e.OutputDelta: "output_delta",
    e.OutputCompleted: "output_completed",
    e.Progress: "progress",
    e.Notice: "notice",
    e.Completed: "completed",
    e.Usage: "usage",
    e.Checkpoint: "checkpoint",
    e.Signal: "signal",
}


@pytest.fixture
def server_class() -> type[Server]:
    return Server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    listening = grpc.aio.server(options=SERVER_OPTIONS)
    server = Server(f"unix:{tmp_path}/s")
    provider_pb2_grpc.add_MediaProviderServicer_to_server(server, listening)
    listening.add_insecure_port(server.target)
    await listening.start()
    yield server
    await listening.stop(0)


@pytest.fixture
async def mc(server: Server) -> AsyncIterator[Client]:
    async with connect(server.target, api_key="key-1") as client:
        yield client
