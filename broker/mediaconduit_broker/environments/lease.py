"""Who uses an environment: a lock on its folder that ends with its holder, whatever ends that, in any process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path


class Lease:
    """Holds a folder: shared by all who use an environment, alone by who builds or removes it."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path, *, alone: bool = False) -> Lease | None:
        """A lease; None when the folder is not there, or others hold it in a way that forbids this one."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            # Whoever removes a folder moves it away first: what is locked must still be what has the name.
            if os.stat(folder).st_ino == os.fstat(descriptor).st_ino:
                return cls(folder, descriptor)
        except OSError:
            pass
        os.close(descriptor)
        return None

    def touch(self) -> None:
        """Notes that it is used now."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)

    def keep_over_exec(self) -> None:
        """Makes it last as long as the program that this process becomes."""
        os.set_inheritable(self._descriptor, True)

    def release(self) -> None:
        """Ends it. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def last_used(folder: Path) -> float:
    """When an environment was last taken or released, in seconds since the epoch; `time.time()` when it is gone."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()
