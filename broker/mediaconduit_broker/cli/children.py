"""What a broker's process does about its children, and about those of its sidecars that lose their parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Final

from mediaconduit import tasks

from mediaconduit_broker.keeper import processes

_LOOK_SECONDS: Final = 15.0
_END_SECONDS: Final = 5.0


def watch_children_without_threads() -> None:
    """From the kernel, where it can tell: before Python 3.12 asyncio kept a thread for every child instead."""
    if sys.version_info >= (3, 12) or not hasattr(os, "pidfd_open"):
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return  # a kernel or a sandbox without them: threads it is
    asyncio.get_event_loop_policy().set_child_watcher(asyncio.PidfdChildWatcher())


@contextlib.asynccontextmanager
async def adopting() -> AsyncIterator[None]:
    """For the time of the block orphans among this process's descendants become its children; at the end none is left.

    Most are ended with their sidecar, whose nonce they carry. This is for those that carry nothing any more.
    """
    if not processes.become_subreaper():
        yield
        return
    reaper = tasks.start(_reap(), name="reaper of orphans")
    try:
        yield
    finally:
        await tasks.cancel_and_join(reaper)
        await tasks.shielded(asyncio.to_thread(_end_strays), timeout=2 * _END_SECONDS, name="end of orphans")


async def _reap() -> None:
    """Waits for adopted children that have ended.

    Which ones are adopted nobody says. Those that asyncio started are waited for as they end: what is still there at
    the next look is nobody's.
    """
    before: set[tuple[int, int]] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = processes.zombies()
        _wait_for(now & before)
        before = now


def _wait_for(zombies: set[tuple[int, int]]) -> None:
    for pid, _ in zombies:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _end_strays() -> None:
    while strays := processes.descendants(os.getpid()):
        processes.kill(strays)
        if not processes.wait_gone(strays, _END_SECONDS):
            return
