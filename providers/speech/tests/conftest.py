from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from speech_provider.pool import Engine, EnginePool

LONG = "The quick brown fox jumps over the lazy dog. " * 60
"""About three minutes, 7 MB of samples."""


def engine_processes() -> set[int]:
    """Process ids of engines this process has started and that still run."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"engine.py" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def written(pid: int) -> int:
    """Bytes a process has written; 0 when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/io").read_text().split("wchar: ")[1].split()[0])
    return 0


def speaking_engines() -> set[int]:
    """Process ids of engines that have said something."""
    return {pid for pid in engine_processes() if written(pid) > 1000}


async def exited(pid: int) -> None:
    """Returns when a process has ended; fails when it does not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


@pytest.fixture(autouse=True)
def no_engine_is_left() -> Iterator[None]:
    """Every test leaves as many engines running as it found: none."""
    yield
    assert engine_processes() == set()


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine that has not spoken yet."""
    started = await Engine.start()
    yield started
    await started.close()


@pytest.fixture
async def pool() -> AsyncIterator[EnginePool]:
    """A pool that starts one engine ahead of need."""
    made = EnginePool(warm=1)
    yield made
    await made.close()
