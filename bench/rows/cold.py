"""The first load of a repository nobody has seen: fetched, its environment built, started."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from mediaconduit import connect

from bench.processes import running
from bench.report import Row, at_most, figure
from bench.world import World
from tests.support.brokers import GOOD, write_provider
from tests.support.git_server import GitServer, git_server

ROUNDS: Final = 5
DEPENDENCIES: Final = '["six==1.17.0", "PyYAML==6.0.3", "cowsay==6.1"]'


async def repository(world: World) -> list[Row]:
    """From a git server of this machine, with three dependencies that are in uv's cache; every time a new broker."""
    with git_server(world.folder / "git") as server:
        made = server.repository("o/r")
        await asyncio.to_thread(write_provider, made.folder, GOOD, dependencies=DEPENDENCIES)
        await asyncio.to_thread(made.commit)
        await _load(world, server)  # fills the cache
        rounds = [await _load(world, server) for _ in range(ROUNDS)]
    return [
        at_most("cold load of a repository to first event", median(whole for _, whole in rounds), "s", 4.0),
        figure("cold load of a repository: until it is fetched", median(fetched for fetched, _ in rounds), "s"),
    ]


async def _load(world: World, server: GitServer) -> tuple[float, float]:
    """Seconds until it is fetched, and to the first event."""
    with tempfile.TemporaryDirectory(prefix="cold-", dir=world.folder) as name:
        state = Path(name)
        config = f'[trust]\nallow = ["github:o/r"]\n[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n'
        await asyncio.to_thread((state / "mediaconduit.toml").write_text, config)
        mediaconduit = str(Path(sys.executable).with_name("mediaconduit"))
        command = (mediaconduit, "up", "--listen", "127.0.0.1:0", "--state-dir", name)
        async with running(*command, cwd=state, log=world.log) as process:
            address = (await process.hear("mediaconduit ")).rpartition(" ")[2]
            async with connect(address) as client:
                begin, fetched = time.perf_counter(), 0.0
                async for step in client.broker.load("github:o/r"):
                    if not fetched and step.message != "fetching":
                        fetched = time.perf_counter() - begin
                async with client.model("mine/default").stream("hello") as stream:
                    await anext(stream)
                    return fetched, time.perf_counter() - begin
