"""A large file in and out: nobody may hold it in memory."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from bench.processes import MEGABYTE, Measured, running
from bench.report import Row, at_most, figure
from bench.world import PROVIDERS, World

SIZE: Final = 500 * MEGABYTE
LIMIT: Final = 64


async def in_and_out(world: World) -> list[Row]:
    """Peak memory of client, broker and sidecar above what each has before."""
    source, target = world.folder / "large.wav", world.folder / "back.wav"
    await asyncio.to_thread(_write, source)
    async with world.broker() as served:
        await served.load(PROVIDERS / "hosted")
        command = (sys.executable, "-m", "bench.copier", served.address, str(source), str(target))
        async with running(*command, log=world.log) as client:
            await client.hear("ready")
            parts = {
                "client": client,
                "broker": served.process,
                "sidecar": Measured(served.sidecar("hosted").pid),
            }
            before = {name: process.memory() for name, process in parts.items()}
            for process in parts.values():
                process.reset_peak()
            begin = asyncio.get_running_loop().time()
            client.tell("go")
            await client.hear("done")
            seconds = asyncio.get_running_loop().time() - begin
            grown = {name: (process.peak() - before[name]) / MEGABYTE for name, process in parts.items()}
    target.unlink()
    source.unlink()
    rows = [
        at_most(f"500 MB in and out: peak memory of the {name} grows by", mb, "MB", LIMIT) for name, mb in grown.items()
    ]
    return [*rows, figure("500 MB in and out: rate", SIZE / MEGABYTE / seconds, "MB/s")]


def _write(path: Path) -> None:
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
        file.write(block[: SIZE % len(block)])
