"""Sidecars as processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil
from mediaconduit import tasks

from mediaconduit_broker.runners.base import Exit, Launch
from mediaconduit_broker.runners.logs import LineReader, LogBuffer

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KILL_SECONDS: Final = 5.0
_LINE_LIMIT: Final = 64 * 1024


class ProcessRunner:
    """Starts sidecars with their sockets in one private folder.

    Args:
        environ: The broker's own variables; sidecars get those in `_PASSED_ON` and what their launch adds.
    """

    name = "process"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {key: environ[key] for key in _PASSED_ON if key in environ}
        # Paths of Unix sockets are limited to 107 characters: a short folder of our own, mode 0700.
        self._sockets = Path(tempfile.mkdtemp(prefix="mc-"))

    async def start(self, launch: Launch, logs: LogBuffer) -> ProcessSidecar:
        """Spawns the process in a session and group of its own; its stdin is its lifeline."""
        socket = self._sockets / f"{launch.instance[:16]}.sock"
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(_LINE_LIMIT, loop),
            *launch.command,
            cwd=launch.folder,
            env=self._environ | self._own(launch, socket) | dict(launch.variables),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        process = asyncio.subprocess.Process(transport, protocol, loop)
        return ProcessSidecar(process, transport, protocol.exited, socket, logs)

    def close(self) -> None:
        """Removes the folder of sockets. All sidecars have been stopped before."""
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _own(self, launch: Launch, socket: Path) -> dict[str, str]:
        return {
            "MEDIACONDUIT_LISTEN": f"unix:{socket}",
            "MEDIACONDUIT_INSTANCE": launch.instance,
            "MEDIACONDUIT_LIFELINE": "stdin",
            "MEDIACONDUIT_PROVIDER": launch.provider_id,
            "MEDIACONDUIT_PROVIDER_VERSION": launch.version,
            # The environment is compiled already, and the repository is not ours to write into.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "GRPC_ENABLE_FORK_SUPPORT": "0",
            "GRPC_VERBOSITY": "NONE",
        }


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells when the process itself has ended: its ``wait`` also waits for whoever else holds its pipes."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        """Called by the loop."""
        self.exited.set()
        super().process_exited()


class ProcessSidecar:
    """One process, its log pipes and its socket."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        transport: asyncio.SubprocessTransport,
        exited: asyncio.Event,
        socket: Path,
        logs: LogBuffer,
    ) -> None:
        self._process = process
        self._transport = transport
        self._exited = exited
        self._socket = socket
        self._owner = tasks.TaskOwner()
        assert process.stdout is not None
        assert process.stderr is not None
        name = f"logs of {process.pid}"
        self._readers = [
            self._owner.start(LineReader(stream, logs).run(), name=name) for stream in (process.stdout, process.stderr)
        ]
        self._ended = self._owner.start(self._watch(), name=f"exit of {process.pid}")

    @property
    def pid(self) -> int:
        """Process id, which is also its group's."""
        return self._process.pid

    @property
    def target(self) -> str:
        """gRPC target."""
        return f"unix:{self._socket}"

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""
        return self._ended.result() if self._ended.done() and not self._ended.cancelled() else None

    def alive(self) -> bool:
        """Asks the kernel, without reaping."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    async def wait(self) -> Exit:
        """Returns when it has ended and its last lines are read."""
        return await asyncio.shield(self._ended)

    def memory_bytes(self) -> int:
        """Resident memory of the process and its descendants."""
        total = 0
        with contextlib.suppress(psutil.Error):
            leader = psutil.Process(self.pid)
            for process in (leader, *leader.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
        return total

    def close_lifeline(self) -> None:
        """Closes its stdin, as the end of the broker would."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """SIGKILL to the group, and to descendants that left it."""
        self._kill(self._descendants())

    async def stop(self, grace: float) -> None:
        """SIGTERM to drain, end of the lifeline, SIGKILL to the group and to whoever left it."""
        descendants = self._descendants()
        if self._ended.done():
            self._kill(descendants)
            await self._owner.aclose()
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait([self._ended], timeout=grace)
        finally:
            descendants = [*descendants, *self._descendants()]
            self._kill(descendants)
            await tasks.shielded(self._gone(), timeout=_KILL_SECONDS, name=f"end of {self.pid}")
            self._socket.unlink(missing_ok=True)

    async def _gone(self) -> None:
        await asyncio.wait([self._ended])
        await self._owner.aclose()

    async def _watch(self) -> Exit:
        await self._exited.wait()
        code = self._process.returncode
        assert code is not None
        self._kill([])
        # A grandchild may hold the pipes open; what the child itself wrote is there within this time.
        await asyncio.wait(self._readers, timeout=0.5)
        self._transport.close()
        return Exit.of(code)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _kill(self, descendants: list[psutil.Process]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for process in descendants:
            with contextlib.suppress(psutil.Error):
                process.kill()
