"""A broker as an operator runs it: a process of its own, which can be hurt and measured."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from mediaconduit import connect
from mediaconduit.client import Client


@dataclass(slots=True)
class BrokerProcess:
    """One that serves."""

    address: str
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    def descendants(self) -> list[psutil.Process]:
        """All processes it started, and theirs."""
        return psutil.Process(self.pid).children(recursive=True)

    def figures(self) -> tuple[int, int, int]:
        """Resident bytes, open descriptors, descendants."""
        itself = psutil.Process(self.pid)
        return itself.memory_info().rss, itself.num_fds(), len(self.descendants())


@contextlib.asynccontextmanager
async def broker_process(
    state: Path,
    environments: Path | None = None,
    *options: str,
    wrap: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[BrokerProcess]:
    """`mediaconduit up` on a free port; ended politely at the end, if it still runs.

    Args:
        state: Its state folder.
        environments: A folder of environments that outlives it.
        options: Further options of `up`.
        wrap: A command to run it under.
        environ: Further variables.
    """
    state.mkdir(parents=True, exist_ok=True)
    if environments is not None and not (state / "environments").exists():
        (state / "environments").symlink_to(environments)
    command = [sys.executable, "-m", "mediaconduit_broker.cli", "up"]
    options = ("--listen", "127.0.0.1:0", "--state-dir", str(state), *options)
    process = await asyncio.create_subprocess_exec(
        *wrap, *command, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **(environ or {})}, cwd=Path(__file__).parents[1] / "providers",
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        match = re.search(r"serves on (\S+)", line)
        assert match, f"the broker did not start: {line!r}"
        yield BrokerProcess(match[1], process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.communicate()


@contextlib.asynccontextmanager
async def client_of(served: BrokerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with connect(served.address) as client:
        yield client


async def gone(processes: list[psutil.Process], within: float = 15.0) -> list[psutil.Process]:
    """Waits until all have ended; those still there when time is up."""
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, within)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
