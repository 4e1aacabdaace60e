"""The broker's relay against a bare one. Both forward what the same hand-written servicer writes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

from bench.processes import Measured, running
from bench.report import Row, at_least, at_most, figure
from bench.stats import interleaved, median_difference, median_ratio
from bench.streams import Path, path
from bench.world import PROVIDERS, World

STREAMS: Final = 8
PAUSE: Final = 0.01
"""Seconds between two events of a stream: a model at 100 tokens a second."""
WINDOW: Final = 0.5
"""Seconds over which CPU is counted."""
ROUNDS: Final = 11
"""More and shorter rounds, not fewer and longer ones: the machine changes by the second."""
PROCESSES: Final = 3
"""How often all of it is started anew: two runs of one program differ in where their threads lie."""
CALLS: Final = 40


@dataclass(frozen=True, slots=True)
class Ways:
    """To the same servicer: past, through the broker, through the bare relay."""

    direct: Path
    relay: Path
    bare: Path
    hosted: Path
    """Through the broker to the same work on our host."""
    apart: Path
    """The same with events that cannot be joined to one."""
    relay_process: Measured
    bare_process: Measured


@contextlib.asynccontextmanager
async def ways(world: World) -> AsyncIterator[Ways]:
    """All of them, open."""
    async with contextlib.AsyncExitStack() as stack:
        served = await stack.enter_async_context(world.broker())
        await served.load(PROVIDERS / "bare")
        await served.load(PROVIDERS / "hosted")
        target = served.sidecar("bare").environ()["MEDIACONDUIT_LISTEN"]
        command = (sys.executable, "-m", "bench.bare.relay", target)
        bare = await stack.enter_async_context(running(*command, log=world.log))
        address = (await bare.hear("ready ")).split()[1]

        async def way(server: str, model: str) -> Path:
            return await stack.enter_async_context(path(server, f"providers/{model}"))

        yield Ways(
            direct=await way(target, "bare/models/paced"),
            relay=await way(served.address, "bare/models/paced"),
            bare=await way(address, "bare/models/paced"),
            hosted=await way(served.address, "hosted/models/paced"),
            apart=await way(served.address, "hosted/models/apart"),
            relay_process=served.process,
            bare_process=bare,
        )


async def cpu_per_event(way: Path, process: Measured, *, streams: int = STREAMS, pause: float = PAUSE) -> float:
    """CPU seconds a process spends on one event, away from the beginning and the end of calls."""
    async with way.paced(streams, pause) as tally:
        events, cpu = tally.events, process.cpu_seconds()
        await asyncio.sleep(WINDOW)
        return (process.cpu_seconds() - cpu) / (tally.events - events)


async def cpu(world: World) -> list[Row]:
    """CPU per forwarded message."""
    relay: list[float] = []
    bare: list[float] = []
    for _ in range(PROCESSES):
        async with ways(world) as to:
            found = await interleaved(
                ROUNDS,
                {
                    "relay": partial(cpu_per_event, to.relay, to.relay_process),
                    "bare": partial(cpu_per_event, to.bare, to.bare_process),
                },
            )
        relay += found["relay"]
        bare += found["bare"]
    return [
        at_most("relay: CPU per message, to a bare relay's", median_ratio(relay, bare), "x", 1.1),
        figure("relay: CPU per message", median(relay) * 1e6, "µs"),
    ]


async def backlog(world: World) -> list[Row]:
    """Events per second of an author who does not pause."""
    async with ways(world) as to:
        found = await interleaved(
            5,
            {
                "on": lambda: to.hosted.drain(300_000),
                "apart": lambda: to.apart.drain(60_000),
                "half": lambda: to.relay.drain(8_000),
                "off": lambda: to.bare.drain(8_000),
            },
        )
    off = found["off"]
    return [
        at_least("backlog: tokens/s through the relay, to coalescing off", median_ratio(found["on"], off), "x", 10),
        figure("backlog: tokens/s through the relay", median(found["on"]), "1/s"),
        figure("backlog: events that cannot become one, to coalescing off", median_ratio(found["apart"], off), "x"),
        figure("backlog: coalescing in the relay alone, to coalescing off", median_ratio(found["half"], off), "x"),
    ]


async def first_event(world: World) -> list[Row]:
    """What the relay adds to the time to the first event, against what a bare one adds."""
    async with ways(world) as to:
        rounds: dict[str, list[float]] = {"direct": [], "relay": [], "bare": []}
        for _ in range(7):
            # Call by call in turns: a round is one moment of the machine.
            calls = await interleaved(
                CALLS,
                {"direct": to.direct.first_event, "relay": to.relay.first_event, "bare": to.bare.first_event},
            )
            for name, seconds in calls.items():
                rounds[name].append(median(seconds))
    added = [relay - direct for relay, direct in zip(rounds["relay"], rounds["direct"], strict=True)]
    bare = [bare - direct for bare, direct in zip(rounds["bare"], rounds["direct"], strict=True)]
    return [
        at_most("first event: time the relay adds, to a bare relay's", median_ratio(added, bare), "x", 1.5),
        figure("first event: time the relay adds", median_difference(rounds["relay"], rounds["direct"]) * 1e3, "ms"),
    ]
