"""One sidecar as its parent knows it: its lifeline, its pipes, its end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.tail import Tail

_PIPE_SECONDS: Final = 0.5
"""Somebody else may hold the pipes open; what the sidecar itself wrote is there within this time of its end."""
_FAMILY_SECONDS: Final = 1.0
_SANDBOX: Final = "bwrap"


class Held:
    """A sidecar in a session and group of its own, until it is forgotten.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self, instance: str, command: Sequence[str], cwd: str, environ: Mapping[str, str], folders: Sequence[str]
    ) -> None:
        self.instance = instance
        self._folders = tuple(folders)
        self.returncode: int | None = None
        self.finished = False
        """It has ended, so has everything it started, and its last lines are read."""
        self._process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self.pid = self._process.pid
        self.identity = processes.identity(self.pid)
        self._reaped_at = 0.0
        self.tails = {"stdout": Tail(), "stderr": Tail()}
        self.pipes: dict[int, Tail] = {}
        """Those that are open, by descriptor."""
        for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self.pipes[stream.fileno()] = self.tails[name]

    @property
    def exit(self) -> dict[str, int | None] | None:
        """How it ended; None while it runs or is being cleaned up after."""
        if self.returncode is None or not self.finished:
            return None
        killed = self.returncode < 0
        return {"code": None if killed else self.returncode, "signal": -self.returncode if killed else None}

    def describe(self) -> dict[str, Any]:
        """For ``list``."""
        return {"instance": self.instance, "pid": self.pid, "identity": self.identity, "exit": self.exit}

    def read(self, descriptor: int) -> bool:
        """Takes what a pipe has; False when it has ended."""
        try:
            chunk = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        except OSError:
            chunk = b""
        if chunk:
            self.pipes[descriptor].append(chunk)
            return True
        del self.pipes[descriptor]
        return False

    def terminate(self) -> None:
        """Asks it to drain: the sidecar itself, for a sandbox around it would die of that and pass nothing on."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(processes.below(self.pid, _SANDBOX), signal.SIGTERM)

    def close_lifeline(self) -> None:
        """Closes its stdin, as the end of this process would."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """Ends it with everything it started."""
        if self.returncode is None:
            processes.kill(processes.family(self.instance, self.pid, self.identity))

    def end_family(self) -> None:
        """Ends what it started. To be called when it has ended and before it is reaped: then its id is its own."""
        processes.end_family(self.instance, self.pid, self.identity, _FAMILY_SECONDS)

    def reaped(self, returncode: int) -> None:
        """It was waited for."""
        self.returncode = self._process.returncode = returncode
        self._reaped_at = time.monotonic()

    def finish_at(self) -> float | None:
        """Monotonic time from which its end counts as complete; None when there is nothing to finish."""
        if self.returncode is None or self.finished:
            return None
        return self._reaped_at + (_PIPE_SECONDS if self.pipes else 0.0)

    def finish(self) -> None:
        """Its end is complete: closes everything."""
        self.finished = True
        self.pipes.clear()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def remove_folders(self) -> None:
        """Removes its socket and temporary files, where no broker is there to do it."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
