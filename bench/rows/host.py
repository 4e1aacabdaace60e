"""The provider host against a servicer written by hand, without a broker in between."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.processes import Measured
from bench.report import Row, at_least, at_most, figure
from bench.rows.relay import PROCESSES, ROUNDS, cpu_per_event
from bench.stats import interleaved, median_ratio
from bench.streams import Path, path
from bench.world import World


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The same work twice."""

    hosted: Path
    hosted_process: Measured
    bare: Path
    bare_process: Measured


@contextlib.asynccontextmanager
async def sidecars(world: World) -> AsyncIterator[Sidecars]:
    """Both, in one environment."""
    python = await world.interpreter()
    async with (
        world.alone(python, "hosted", "-m", "mediaconduit_provider", "hosted_provider:Hosted") as (hosted, near),
        world.alone(python, "bare", "servicer.py") as (bare, far),
        path(near, "providers/hosted/models/paced") as to_hosted,
        path(far, "providers/bare/models/paced") as to_bare,
    ):
        yield Sidecars(to_hosted, hosted, to_bare, bare)


async def paced(world: World) -> list[Row]:
    """CPU per event while an author pauses before each."""
    hosted: list[float] = []
    bare: list[float] = []
    for _ in range(PROCESSES):
        async with sidecars(world) as to:
            found = await interleaved(
                ROUNDS,
                {
                    "hosted": partial(cpu_per_event, to.hosted, to.hosted_process),
                    "bare": partial(cpu_per_event, to.bare, to.bare_process),
                },
            )
        hosted += found["hosted"]
        bare += found["bare"]
    ratio = median_ratio(hosted, bare)
    return [
        at_most("host: CPU per event when paced, to a hand-written servicer's", ratio, "x", 1.25),
        figure("host: CPU per event when paced", median(hosted) * 1e6, "µs"),
    ]


async def saturated(world: World) -> list[Row]:
    """Events per second of an author who does not pause."""
    async with sidecars(world) as to:
        found = await interleaved(
            5, {"hosted": lambda: to.hosted.drain(300_000), "bare": lambda: to.bare.drain(10_000)}
        )
    ratio = median_ratio(found["hosted"], found["bare"])
    return [at_least("host: events/s when saturated, to a hand-written servicer's", ratio, "x", 0.8)]
