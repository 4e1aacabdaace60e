"""What processes weigh while they do nothing."""

from __future__ import annotations

from bench.processes import MEGABYTE, Measured
from bench.report import Row, at_most
from bench.world import COWSAY, World


async def memory(world: World) -> list[Row]:
    """After a call, so that everything a call needs has been imported."""
    async with world.broker() as served:
        await served.load(COWSAY)
        await served.client.model("cowsay/default").transform("hello")
        broker = served.process.memory()
        sidecar = Measured(served.sidecar("cowsay").pid).memory()
    return [
        at_most("resident memory of the broker", broker / MEGABYTE, "MB", 90),
        at_most("resident memory of an idle Python sidecar", sidecar / MEGABYTE, "MB", 55),
    ]
