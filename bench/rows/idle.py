"""What looking after many sidecars costs that nobody calls."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from bench.report import Row, at_most
from bench.world import COWSAY, Served, World

SIDECARS = 200
SECONDS = 65.0
"""Two rounds of checks of idle sidecars (every 30 s), and a little."""
_AT_ONCE = 8


async def many(world: World) -> list[Row]:
    """The broker's share of a core. All run from one environment: what they run from is not measured."""
    folder = own_program(world.folder / "idle", await world.interpreter())
    async with world.broker() as served:
        await _load(served, folder, SIDECARS)
        began, used = time.monotonic(), served.process.cpu_seconds()
        await asyncio.sleep(SECONDS)
        share = (served.process.cpu_seconds() - used) / (time.monotonic() - began)
    return [at_most(f"{SIDECARS} idle sidecars: broker's share of a core", share * 100, "%", 1)]


async def _load(served: Served, folder: Path, count: int) -> None:
    async def some(start: int) -> None:
        for number in range(start, count, _AT_ONCE):
            await served.load(folder, f"idle-{number}")

    async with asyncio.TaskGroup() as group:
        for start in range(_AT_ONCE):
            group.create_task(some(start))


def own_program(folder: Path, python: Path) -> Path:
    """cowsay as a program of its own, so that one environment serves all of them."""
    shutil.copytree(COWSAY, folder, ignore=shutil.ignore_patterns("tests", "pyproject.toml", "__pycache__"))
    (folder / "MediaConduit.provider.yml").write_text(
        "id: idle\nversion: 1.0.0\nruntime: exec\ncommand: [./run]\ncapabilities: [text-to-text]\n"
    )
    script = folder / "run"
    script.write_text(f'#!/bin/sh\nexec "{python}" -m mediaconduit_provider cowsay_provider:Cowsay\n')
    script.chmod(0o755)
    return folder
