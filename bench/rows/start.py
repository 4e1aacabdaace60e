"""How long things take to begin. Wall time: the only rows that a busy machine makes worse."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path
from statistics import median

from bench.report import Row, at_most
from bench.world import COWSAY, Served, World


async def warm(world: World) -> list[Row]:
    """Load to first event, when the environment is there and the sidecar is not."""
    async with world.broker() as served:
        await _to_first_event(served)  # builds the environment where no other row has
        seconds = [await _to_first_event(served) for _ in range(7)]
    return [at_most("warm start: load to first event", median(seconds), "s", 0.5)]


async def _to_first_event(served: Served) -> float:
    begin = time.perf_counter()
    await served.load(COWSAY)
    async with served.client.model("cowsay/default").stream("hello") as stream:
        await anext(stream)
        seconds = time.perf_counter() - begin
    await served.client.broker.unload("cowsay", drain_timeout=0)
    return seconds


async def environment(world: World) -> list[Row]:
    """A build with everything in uv's cache, as the broker has noted how long it took."""
    seconds: list[float] = []
    async with world.broker(shared=False) as served:
        for _ in range(6):
            await served.load(COWSAY)
            built = (await served.client.broker.get("cowsay")).environment.build_duration
            seconds.append(built.ToNanoseconds() / 1e9)
            await served.client.broker.unload("cowsay", drain_timeout=0)
            await asyncio.to_thread(shutil.rmtree, served.state / "environments")
            (served.state / "environments").mkdir()
    # The first one may have filled the cache.
    return [at_most("environment from a warm cache, bytecode included", median(seconds[1:]), "s", 2.0)]


async def help_text(world: World) -> list[Row]:
    """The command line's own start, bytecode compiled."""
    command = str(Path(sys.executable).with_name("mediaconduit"))
    seconds: list[float] = []
    for _ in range(11):
        begin = time.perf_counter()
        process = await asyncio.create_subprocess_exec(command, "--help", stdout=asyncio.subprocess.DEVNULL)
        if await process.wait() != 0:
            raise RuntimeError("mediaconduit --help failed")
        seconds.append(time.perf_counter() - begin)
    return [at_most("mediaconduit --help", median(seconds[1:]), "s", 0.25)]
