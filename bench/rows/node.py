"""What a provider in TypeScript costs: its start, its memory, its events."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import median

from bench.processes import MEGABYTE, Measured
from bench.report import Row, at_most, figure
from bench.streams import path
from bench.world import PROVIDERS, Served, World

_NODED = PROVIDERS / "noded"
_EVENTS = 300_000


async def node(world: World) -> list[Row]:
    """As `warm-start`, `memory` and `host-saturated`, of the Node host; nothing where there is no Node.js."""
    program = shutil.which("node")
    if program is None:
        return []
    async with world.broker() as served:
        await _to_first_event(served)  # builds the environment
        seconds = [await _to_first_event(served) for _ in range(7)]
        await served.load(_NODED)
        await served.client.model("noded/paced").transform("1 0")
        sidecar = next(child for child in served.sidecars() if child.name() == "node")
        resident = Measured(sidecar.pid).memory()
        key = (await served.environment("noded")).name
    rates = await _rates(world, Path(program), world.environments / key)
    return [
        at_most("warm start of a provider in TypeScript: load to first event", median(seconds), "s", 0.7),
        at_most("resident memory of an idle Node sidecar", resident / MEGABYTE, "MB", 60),
        figure("Node host: events/s when saturated", median(rates), "/s"),
    ]


async def _to_first_event(served: Served) -> float:
    begin = time.perf_counter()
    await served.load(_NODED)
    async with served.client.model("noded/paced").stream("1 0") as stream:
        await anext(stream)
        seconds = time.perf_counter() - begin
    await served.client.broker.unload("noded", drain_timeout=0)
    return seconds


async def _rates(world: World, program: Path, environment: Path) -> list[float]:
    """Events per second of a sidecar without a broker, after one round for the compiler."""
    host = environment / "node_modules" / "@mediaconduit" / "provider" / "dist" / "main.cjs"
    entry = environment / ".mediaconduit" / "provider.mjs"
    async with (
        world.alone(program, "noded", str(host), str(entry)) as (_, target),
        path(target, "providers/noded/models/paced") as direct,
    ):
        await direct.drain(_EVENTS)
        return [await direct.drain(_EVENTS) for _ in range(5)]
