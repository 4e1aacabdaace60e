"""Processes as the kernel tells of them: which one it is, who belongs to a sidecar, when they are gone.

A process id alone says little: it is used again. With the time it started, in the kernel's ticks (a clock that is set
changes nothing), and the boot they count from, it is an identity. Linux only; elsewhere there are no identities, and
nothing that has none is ever killed for what a file says.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

INSTANCE_VARIABLE: Final = "MEDIACONDUIT_INSTANCE"
_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUNDS: Final = 20
"""How often to look for what was forked while its parent was being killed."""


@dataclass(frozen=True, slots=True)
class Process:
    """A living process, zombies not counted."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    """Ticks since boot."""


def identity(pid: int) -> str:
    """Which process that is, "boot:ticks"; "" when there is none, it has ended, or the kernel does not tell."""
    found = _read(pid)
    return f"{_boot()}:{found.started}" if found is not None else ""


def running(pid: int, who: str) -> bool:
    """Whether that very process still runs. Costs microseconds."""
    return who != "" and identity(pid) == who


def family(instance: str, leader: int = 0, who: str = "") -> set[int]:
    """Living processes of a sidecar: it, its group and session, all who descend from these, and all who carry its
    nonce in their environment, wherever they went.

    Args:
        instance: The nonce; "" = look at descent only.
        leader: The sidecar's process id, where it is certain that it is still its own.
        who: The sidecar's identity; nobody older is looked at.
    """
    processes = list(_living())
    found = {p.pid for p in processes if leader and leader in (p.pid, p.group, p.session)}
    if instance:
        mark = f"{INSTANCE_VARIABLE}={instance}".encode()
        since = int(who.rpartition(":")[2] or 0)
        found |= {p.pid for p in processes if p.started >= since and p.pid not in found and _carries(p.pid, mark)}
    return _with_descendants(found - {os.getpid()}, processes)


def descendants(pid: int) -> set[int]:
    """All living processes below one."""
    return _with_descendants({pid}, list(_living())) - {pid}


def zombies() -> set[tuple[int, int]]:
    """Children of this process that have ended and were not waited for: process id and ticks of its start."""
    return {(p.pid, p.started) for p in _listed(ended=True) if p.parent == os.getpid()}


def below(pid: int, wrapper: str) -> int:
    """The first process below one, itself included, that runs another program than `wrapper`; itself if none does."""
    at = {pid}
    while at:
        if others := [one for one in sorted(at) if _name(one) != wrapper]:
            return others[0]
        at = {p.pid for p in _living() if p.parent in at}
    return pid


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def end_family(instance: str, leader: int = 0, who: str = "", seconds: float = 5.0) -> bool:
    """Kills a sidecar's processes and waits until the last has ended; False when one has not in time. Blocks."""
    deadline = time.monotonic() + seconds
    for _ in range(_ROUNDS):  # one that forks meanwhile is seen the next time
        if not (pids := family(instance, leader, who)):
            return True
        kill(pids)
        if not wait_gone(pids, deadline - time.monotonic()):
            return False
    return False


def wait_gone(pids: Iterable[int], seconds: float) -> bool:
    """Waits until none of them runs any more, whoever's children they are; False when the time is over. Blocks."""
    deadline = time.monotonic() + seconds
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            continue  # it has gone and was reaped
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return False
        finally:
            os.close(descriptor)
    return True


def become_subreaper() -> bool:
    """Makes orphans among this process's descendants its own children, not init's; False where that cannot be."""
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _with_descendants(found: set[int], processes: list[Process]) -> set[int]:
    while grown := {p.pid for p in processes if p.parent in found and p.pid not in found}:
        found = found | grown
    return found


def _carries(pid: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark in file.read().split(b"\0")
    except OSError:
        return False  # gone, or not ours to look at


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def _living() -> Iterator[Process]:
    return _listed()


def _listed(*, ended: bool = False) -> Iterator[Process]:
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and (found := _read(int(name), ended=ended)) is not None:
                yield found


def _read(pid: int, *, ended: bool = False) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    # proc(5), counted after the command's closing bracket: state, ppid, pgrp, session, ... starttime.
    if len(fields) < 20 or (fields[0] in (b"Z", b"X")) is not ended:
        return None
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


@functools.cache
def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""
