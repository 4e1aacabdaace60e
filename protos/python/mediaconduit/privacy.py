"""Keeps what a process holds to itself."""

from __future__ import annotations

import sys

_PR_SET_DUMPABLE = 4


def hide_memory() -> bool:
    """Keeps other processes of the same user from reading this one's memory and variables; root still can.

    Linux only: False elsewhere, and where the kernel refuses. Programs it starts are not hidden by it, debuggers and
    profilers of the same user are kept out, and no core dumps are written.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
