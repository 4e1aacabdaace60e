"""Many streams at once, and what each costs in memory."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import grpc
from mediaconduit import tasks

from bench.processes import MEGABYTE, Measured
from bench.report import Row, at_most, figure
from bench.streams import Path, Tally, path
from bench.world import PROVIDERS, Served, World

STREAMS: Final = 1000
PAUSE: Final = 1.0
SETTLE: Final = 2 * PAUSE
"""Seconds in which every stream gives some events."""


async def thousand(world: World) -> list[Row]:
    """Opened in four steps; memory after each."""
    providers = 100 if world.full else 20
    scale = "" if world.full else " (100 with --full)"
    async with world.broker() as served, contextlib.AsyncExitStack() as stack:
        await _load(served, providers)
        ways = [
            await stack.enter_async_context(path(served.address, f"providers/p{n}/models/paced"))
            for n in range(providers)
        ]
        memory, errors = await _opened(served, ways)
    broker = [step["broker"] for step in memory]
    per_stream = (broker[4] - broker[0]) / STREAMS
    sidecars = (memory[4]["sidecars"] - memory[0]["sidecars"]) / STREAMS
    early, late = (broker[2] - broker[1]), (broker[4] - broker[3])
    name = f"1,000 streams over {providers} providers{scale}"
    return [
        at_most(f"{name}: errors", errors, "", 0),
        at_most(f"{name}: memory of the last 250 streams, to the second 250", late / max(early, 1), "x", 1.5),
        figure(f"{name}: broker's memory per stream", per_stream / MEGABYTE, "MB"),
        figure(f"{name}: sidecars' memory per stream", sidecars / MEGABYTE, "MB"),
    ]


async def _load(served: Served, providers: int) -> None:
    """Two at a time, as many as there are processors to start them on."""
    places = asyncio.Semaphore(2)

    async def load(number: int) -> None:
        async with places:
            await served.load(PROVIDERS / "hosted", f"p{number}")

    async with asyncio.TaskGroup() as group:
        for number in range(providers):
            group.create_task(load(number))


async def _opened(served: Served, ways: list[Path]) -> tuple[list[dict[str, int]], int]:
    """Memory with 0, 250, 500, 750 and 1,000 streams, and how many of them failed."""
    memory, readers = [_memory(served)], []
    tallies = [Tally() for _ in range(STREAMS)]
    try:
        for step in range(4):
            for number in range(step * STREAMS // 4, (step + 1) * STREAMS // 4):
                reading = _read(ways[number % len(ways)], tallies[number])
                readers.append(tasks.start(reading, name=f"stream {number}"))
            await _flowing(tallies[: len(readers)])
            await asyncio.sleep(SETTLE)
            memory.append(_memory(served))
        silent = sum(tally.events == 0 for tally in tallies)
        failed = sum(reader.done() for reader in readers)  # none ends by itself
    finally:
        await tasks.cancel_and_join(*readers)
    return memory, max(silent, failed)


async def _flowing(tallies: list[Tally]) -> None:
    """Returns when every stream has given an event, or has had time enough."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while any(tally.events == 0 for tally in tallies):  # noqa: ASYNC110  # counters, written by a thousand tasks
                await asyncio.sleep(0.05)


async def _read(way: Path, tally: Tally) -> None:
    call = way.call(1_000_000, PAUSE)
    try:
        while (frame := await call.read()) is not grpc.aio.EOF:
            tally.add(frame)
    finally:
        call.cancel()


def _memory(served: Served) -> dict[str, int]:
    sidecars = sum(Measured(process.pid).memory() for process in served.sidecars())
    return {"broker": served.process.memory(), "sidecars": sidecars}
