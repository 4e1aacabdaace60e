"""Raw clients: calls whose frames are counted, not turned into objects of ours."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from mediaconduit import tasks
from mediaconduit.channels import open_channel
from mediaconduit.v1.events_pb2 import TransformResponse
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.transform_pb2 import TransformRequest

from bench.bare.relay import TRANSFORM

_TOKEN = len("token ")


@dataclass(slots=True)
class Tally:
    """What has come so far."""

    messages: int = 0
    events: int = 0
    """What the author yielded: text that hosts have joined counts as often as it was yielded."""

    def add(self, frame: bytes) -> None:
        """Decodes a frame, as every client does."""
        self.messages += 1
        for event in TransformResponse.FromString(frame).events:
            kind = event.WhichOneof("event")
            if kind == "output_delta":
                self.events += len(event.output_delta.text) // _TOKEN
            elif kind == "progress":
                self.events += 1


class Path:
    """One way to a model: a server and the name of the model there."""

    def __init__(self, channel: grpc.aio.Channel, model: str) -> None:
        self._begin: Any = channel.unary_stream(TRANSFORM)
        self._model = model

    def call(self, count: int, seconds: float) -> Any:
        """A call that gives `count` events with a pause before each; its `read` gives bytes."""
        part = Part(text=f"{count} {seconds:g}")
        return self.start(TransformRequest(model=self._model, turns=[Turn(role=Role.ROLE_USER, parts=[part])]))

    def start(self, request: TransformRequest) -> Any:
        """A call; its `read` gives bytes."""
        return self._begin(request.SerializeToString())

    async def first_event(self) -> float:
        """Seconds to the first event of a call."""
        call = self.call(1, 0)
        begin = time.perf_counter()
        await call.read()
        seconds = time.perf_counter() - begin
        while await call.read() is not grpc.aio.EOF:
            pass
        return seconds

    async def drain(self, count: int) -> float:
        """Events per second of an author who yields without pause."""
        call, tally = self.call(count, 0), Tally()
        tally.add(await call.read())
        begin = time.perf_counter()
        while (frame := await call.read()) is not grpc.aio.EOF:
            tally.add(frame)
        seconds = time.perf_counter() - begin
        if tally.events < count:
            raise RuntimeError(f"{tally.events} of {count} events came")
        return count / seconds

    @contextlib.asynccontextmanager
    async def paced(self, streams: int, pause: float) -> AsyncIterator[Tally]:
        """Streams that go on until the block is left; the tally counts what comes on all of them."""
        tally = Tally()
        readers = [tasks.start(self._read(tally, pause), name="reader") for _ in range(streams)]
        try:
            while tally.messages < 10 * streams:
                await asyncio.sleep(0.01)
                for reader in readers:
                    if reader.done():
                        reader.result()
            yield tally
        finally:
            await tasks.cancel_and_join(*readers)

    async def _read(self, tally: Tally, pause: float) -> None:
        call = self.call(1_000_000, pause)
        try:
            while (frame := await call.read()) is not grpc.aio.EOF:
                tally.add(frame)
        finally:
            call.cancel()


@contextlib.asynccontextmanager
async def path(target: str, model: str) -> AsyncIterator[Path]:
    """A connection of its own."""
    channel = open_channel(target)
    try:
        await channel.channel_ready()
        yield Path(channel, model)
    finally:
        await channel.close()
