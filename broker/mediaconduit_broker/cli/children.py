"""How the event loop learns that a child process has ended."""

from __future__ import annotations

import asyncio
import os
import sys


def watch_children_without_threads() -> None:
    """From the kernel, where it can tell: before Python 3.12 asyncio kept a thread for every child instead."""
    if sys.version_info >= (3, 12) or not hasattr(os, "pidfd_open"):
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return  # a kernel or a sandbox without them: threads it is
    asyncio.get_event_loop_policy().set_child_watcher(asyncio.PidfdChildWatcher())
