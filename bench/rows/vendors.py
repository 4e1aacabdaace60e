"""The vendors' client: what it costs beside the bare HTTP client it uses."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any, Final

import grpc
import httpx2
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit.v1.events_pb2 import TransformResponse
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit.v1.transform_pb2 import TransformRequest
from mediaconduit_provider.catalog import Entry
from mediaconduit_provider.host_call import HostCall
from mediaconduit_provider.metadata import read
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.kinds import chat_kind
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.vendor import Vendor

from bench.processes import MEGABYTE, Measured, running
from bench.report import Row, at_most, figure
from bench.stats import interleaved, median_difference
from bench.streams import Path, path
from bench.world import PROVIDERS, Served, World

CHUNKS: Final = 5000
STREAMS: Final = 500
_CHAT: Final = Chat()
_MODEL: Final = chat_kind(_CHAT, Chat.options, ()).model("paced")
_VENDOR: Final = Vendor("made-up", "Made Up", "", key_required=False)


@contextlib.asynccontextmanager
async def vendor(world: World) -> AsyncIterator[str]:
    """The made-up vendor in a process of its own; its base URL."""
    async with running(sys.executable, "-m", "bench.bare.vendor", log=world.log) as process:
        yield f"http://127.0.0.1:{(await process.hear('ready ')).split()[1]}/v1"


def asked(count: int, seconds: float) -> TransformRequest:
    """A call that gives so many chunks, with a pause before each."""
    model = "providers/vendor/models/paced"
    return TransformRequest(model=model, turns=[Turn(parts=[Part(text=f"{count} {seconds:g}")])])


def body(count: int, seconds: float) -> dict[str, Any]:
    """The same, as the vendor takes it."""
    return {"model": "paced", "stream": True, "messages": [{"role": "user", "content": f"{count} {seconds:g}"}]}


# -- CPU --------------------------------------------------------------------------------------------------------------


async def chunk(world: World) -> list[Row]:
    """CPU from a vendor's bytes to what a provider yields, for each chunk of a stream."""
    async with vendor(world) as url, httpx2.AsyncClient(timeout=60) as http:
        api = Api(_VENDOR, key=lambda: "", base_url=url)
        entry = Entry("providers/vendor/models/paced", _MODEL)

        async def bare() -> float:
            begin = time.process_time()
            async with http.stream("POST", f"{url}/chat/completions", json=body(CHUNKS, 0)) as response:
                async for _ in response.aiter_bytes():
                    pass
            return (time.process_time() - begin) / CHUNKS

        async def ours() -> float:
            call = HostCall(asked(CHUNKS, 0), entry, "text-to-text", read((), None, ""))
            begin, texts = time.process_time(), 0
            async for yielded in _CHAT(api, call):
                texts += type(yielded) is str
            if texts < CHUNKS:
                raise RuntimeError(f"{texts} of {CHUNKS} chunks came")
            return (time.process_time() - begin) / CHUNKS

        try:
            found = await interleaved(7, {"bare": bare, "ours": ours})
        finally:
            await api.aclose()
    added = median_difference(found["ours"], found["bare"])
    return [
        at_most("vendor: CPU per streamed chunk, beyond a bare read", added * 1e6, "µs", 25),
        figure("vendor: CPU per chunk of a bare read", median(found["bare"]) * 1e6, "µs"),
    ]


# -- time -------------------------------------------------------------------------------------------------------------


async def first_token(world: World) -> list[Row]:
    """What broker, sidecar and the vendors' client add to the time to the first token."""
    async with vendor(world) as url, loaded(world, url) as (_, way), httpx2.AsyncClient(timeout=60) as http:

        async def direct() -> float:
            begin, seconds = time.perf_counter(), 0.0
            async with http.stream("POST", f"{url}/chat/completions", json=body(1, 0)) as response:
                async for line in response.aiter_lines():
                    if not seconds and line.startswith("data:"):
                        seconds = time.perf_counter() - begin
            return seconds

        rounds: dict[str, list[float]] = {"direct": [], "through": []}
        for _ in range(7):
            calls = await interleaved(40, {"direct": direct, "through": lambda: _first_text(way)})
            for name, seconds in calls.items():
                rounds[name].append(median(seconds))
    added = median_difference(rounds["through"], rounds["direct"])
    return [at_most("vendor: time to the first token added, p50", added * 1e3, "ms", 2.5)]


async def _first_text(way: Path) -> float:
    """Seconds to the first text of a call."""
    call = way.start(asked(1, 0))
    begin, seconds = time.perf_counter(), 0.0
    while (frame := await call.read()) is not grpc.aio.EOF:
        events = TransformResponse.FromString(frame).events
        if not seconds and any(event.output_delta.text for event in events):
            seconds = time.perf_counter() - begin
    return seconds


@contextlib.asynccontextmanager
async def loaded(world: World, url: str) -> AsyncIterator[tuple[Served, Path]]:
    """A broker whose provider talks to the made-up vendor, and the way there."""
    async with world.broker() as served:
        await served.load(PROVIDERS / "vendor")
        await served.client.provider("vendor").configure({"base_url": url})
        async with path(served.address, "providers/vendor/models/paced") as way:
            yield served, way


# -- memory -----------------------------------------------------------------------------------------------------------


async def memory(world: World) -> list[Row]:
    """A sidecar with many streams of a vendor open at once."""
    async with vendor(world) as url, loaded(world, url) as (served, way):
        sidecar = Measured(served.sidecar("vendor").pid)
        before, begun = sidecar.memory(), [asyncio.Event() for _ in range(STREAMS)]
        readers = [start(_follow(way, event), name="reader") for event in begun]
        try:
            async with asyncio.timeout(120):
                for event in begun:
                    await event.wait()
            await asyncio.sleep(5)  # every stream gives some more
            after, failed = sidecar.memory(), sum(reader.done() for reader in readers)
        finally:
            await cancel_and_join(*readers)
    return [
        at_most(f"vendor: memory of a sidecar with {STREAMS} streams", after / MEGABYTE, "MB", 250),
        at_most(f"vendor: {STREAMS} streams, errors", failed, "", 0),
        figure("vendor: memory of a stream", (after - before) / STREAMS / 1000, "kB"),
    ]


async def _follow(way: Path, begun: asyncio.Event) -> None:
    call = way.start(asked(1_000_000, 1.0))
    try:
        while (frame := await call.read()) is not grpc.aio.EOF:
            if any(event.output_delta.text for event in TransformResponse.FromString(frame).events):
                begun.set()
    finally:
        call.cancel()
