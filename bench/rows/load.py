"""Loading what runs already."""

from __future__ import annotations

import time
from statistics import median

from bench.report import Row, at_most
from bench.world import COWSAY, Served, World


async def running_provider(world: World) -> list[Row]:
    """Over the wire, and whether the broker started a process for it."""
    seconds: list[float] = []
    async with world.broker() as served:
        await served.load(COWSAY)
        children, faults = _children(served), served.process.reaped_faults()
        for _ in range(100):
            begin = time.perf_counter()
            await served.load(COWSAY)
            seconds.append(time.perf_counter() - begin)
        started = int(_children(served) != children or served.process.reaped_faults() != faults)
    return [
        at_most("load of a provider that runs, p50", median(seconds) * 1e3, "ms", 5),
        at_most("load of a provider that runs: processes started", started, "", 0),
    ]


def _children(served: Served) -> set[int]:
    return {process.pid for process in served.sidecars()}
