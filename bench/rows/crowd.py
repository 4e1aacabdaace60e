"""What calls in progress notice when many providers are loaded at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path as Folder
from typing import Final

import grpc
from mediaconduit import tasks

from bench.report import Row, at_most, figure
from bench.rows.idle import own_program
from bench.streams import Path, path
from bench.world import PROVIDERS, Served, World

LOADS: Final = 100
BUILT: Final = 10
"""So many of them need a Python environment that is not there yet; the others start from one that is."""
STREAMS: Final = 4
PAUSE: Final = 0.02
"""Seconds between two events of a stream: a model at 50 tokens a second."""
QUIET: Final = 10.0
"""Seconds that are compared with: 2,000 gaps."""


async def loads(world: World) -> list[Row]:
    """The 99th percentile of the gaps between the events of running streams, alone and while all of it loads."""
    program = own_program(world.folder / "crowd", await world.interpreter())
    # A folder of environments of its own: what is to be built must not be there from another row.
    async with world.broker(shared=False) as served:
        await served.load(PROVIDERS / "hosted")
        async with path(served.address, "providers/hosted/models/paced") as way:
            gaps: list[float] = []
            readers = [tasks.start(_read(way, gaps), name=f"stream {number}") for number in range(STREAMS)]
            try:
                await asyncio.sleep(QUIET / 10)
                gaps.clear()
                await asyncio.sleep(QUIET)
                alone = _p99(gaps)
                gaps.clear()
                begin = time.monotonic()
                await _load_all(served, program)
                seconds, beside = time.monotonic() - begin, _p99(gaps)
                for reader in readers:
                    if reader.done():
                        reader.result()
            finally:
                await tasks.cancel_and_join(*readers)
    name = f"{LOADS} providers loaded at once ({BUILT} built)"
    return [
        at_most(f"{name}: p99 gap of running streams, to that before", beside / alone, "x", 2),
        figure(f"{name}: p99 gap before", alone * 1e3, "ms"),
        figure(f"{name}: all are ready after", seconds, "s"),
    ]


async def _load_all(served: Served, program: Folder) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(LOADS):
            folder = PROVIDERS / "hosted" if number % (LOADS // BUILT) == 0 else program
            group.create_task(served.load(folder, f"crowd-{number}"))


async def _read(way: Path, gaps: list[float]) -> None:
    """Notes the time between any two messages of a stream that never ends."""
    call = way.call(1_000_000, PAUSE)
    try:
        await call.read()
        last = time.perf_counter()
        while await call.read() is not grpc.aio.EOF:
            now = time.perf_counter()
            gaps.append(now - last)
            last = now
    finally:
        call.cancel()


def _p99(gaps: list[float]) -> float:
    return sorted(gaps)[len(gaps) * 99 // 100]
