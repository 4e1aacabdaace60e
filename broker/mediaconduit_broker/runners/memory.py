"""What processes weigh."""

from __future__ import annotations

import contextlib

import psutil


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; 0 when it has ended."""
    total = 0
    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total
