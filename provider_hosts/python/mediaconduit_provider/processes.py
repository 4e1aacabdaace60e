"""Processes that the author's code started: none outlives the sidecar."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def lead_group() -> None:
    """Makes this process the leader of a group of its own, so that its children can be told apart."""
    if os.getpgrp() != os.getpid() and not os.isatty(0):
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)


def kill_children() -> None:
    """Kills every process of our group, and all that descend from us, also those that left the group."""
    for _ in range(3):  # one that forks meanwhile is seen the next time
        children = _children()
        for pid in children:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not children:
            return


def _children() -> set[int]:
    me, group = os.getpid(), os.getpgrp()
    processes = list(_processes())
    found = {pid for pid, _, pgid in processes if pgid == group} if group == me else set()
    family = {me}
    while True:
        grown = family | {pid for pid, parent, _ in processes if parent in family}
        if grown == family:
            break
        family = grown
    return (found | family) - {me}


def _processes() -> Iterator[tuple[int, int, int]]:
    """(pid, parent, group) of living processes; none where there is no /proc."""
    with contextlib.suppress(OSError):
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError):  # it may end at any moment
                fields = Path("/proc", name, "stat").read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    yield int(name), int(fields[1]), int(fields[2])
