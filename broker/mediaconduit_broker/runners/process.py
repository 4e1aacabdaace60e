"""Sidecars as processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil
from mediaconduit import tasks

from mediaconduit_broker.isolation import Cell, Isolator
from mediaconduit_broker.runners.base import Exit, Launch
from mediaconduit_broker.runners.logs import LineReader, LogBuffer

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KILL_SECONDS: Final = 5.0
_LINE_LIMIT: Final = 64 * 1024
_LAST_LINES: Final = 12
_BUBBLEWRAP: Final = "bwrap"


class ProcessRunner:
    """Starts sidecars, each kept apart as its launch's policy says.

    Args:
        environ: The broker's own variables; sidecars get those in `_PASSED_ON` and what their launch adds.
        isolator: Keeps them apart; None = under the broker's user. Closed by `close`.
    """

    name = "process"

    def __init__(self, environ: Mapping[str, str], isolator: Isolator | None = None) -> None:
        self._environ = {key: environ[key] for key in _PASSED_ON if key in environ}
        self._isolator = isolator or Isolator()

    async def start(self, launch: Launch, logs: LogBuffer) -> ProcessSidecar:
        """Spawns the process in a session and group of its own; its stdin is its lifeline."""
        cell = self._isolator.admit(launch.provider_id, launch.instance, launch.command, launch.folder, launch.policy)
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.subprocess_exec(
                lambda: _Protocol(_LINE_LIMIT, loop),
                *cell.command,
                cwd=launch.folder,
                env=self._environ | self._own(launch, cell.socket) | dict(launch.variables) | cell.variables,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            cell.remove()
            raise
        process = asyncio.subprocess.Process(transport, protocol, loop)
        return ProcessSidecar(process, transport, protocol.exited, cell, logs)

    def forget(self, provider_id: str) -> None:
        """Removes what lasts of a provider: its home and its user. Blocks for as long as that takes."""
        self._isolator.forget(provider_id)

    def close(self) -> None:
        """Removes the folders of sidecars. All have been stopped before."""
        self._isolator.close()

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
        cell: Cell,
        logs: LogBuffer,
    ) -> None:
        self._process = process
        self._transport = transport
        self._exited = exited
        self._cell = cell
        self._logs = logs
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
        return f"unix:{self._cell.socket}"

    @property
    def warnings(self) -> Sequence[str]:
        """What it could read of others, and why."""
        return self._cell.warnings

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
            await self._clean_up()
            return
        self._ask_to_end(descendants)
        try:
            await asyncio.wait([self._ended], timeout=grace)
        finally:
            descendants = [*descendants, *self._descendants()]
            self._kill(descendants)
            await tasks.shielded(self._gone(), timeout=_KILL_SECONDS, name=f"end of {self.pid}")
            await tasks.shielded(self._clean_up(), timeout=_KILL_SECONDS, name=f"clean up {self.pid}")

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
        lines = (record.text for record in self._logs.tail(_LAST_LINES))
        return Exit.of(code, self._cell.limit_reached(lines), wrapped=self._cell.sandboxed)

    def _ask_to_end(self, descendants: list[psutil.Process]) -> None:
        """SIGTERM to the sidecar itself: bubblewrap would die of it and pass nothing on."""
        asked: asyncio.subprocess.Process | psutil.Process = self._process
        for process in descendants if self._cell.sandboxed else ():
            with contextlib.suppress(psutil.Error):
                if process.name() != _BUBBLEWRAP:
                    asked = process
                    break
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            asked.send_signal(signal.SIGTERM)

    async def _clean_up(self) -> None:
        await asyncio.to_thread(self._cell.remove)

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
        self._cell.kill()
