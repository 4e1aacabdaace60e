"""Sidecars as processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import psutil
from mediaconduit import tasks
from mediaconduit.channels import MutualTls

from mediaconduit_broker.isolation import Cell, Isolator
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.runners.base import Exit, Launch
from mediaconduit_broker.runners.journal import Journal, Record
from mediaconduit_broker.runners.logs import LineReader, LogBuffer
from mediaconduit_broker.runners.memory import resident_bytes
from mediaconduit_broker.runners.starting import to_its_end
from mediaconduit_broker.runners.variables import passed_on, told

_KILL_SECONDS: Final = 5.0
_FAMILY_SECONDS: Final = 2.0
_LINE_LIMIT: Final = 64 * 1024
_LAST_LINES: Final = 12
_BUBBLEWRAP: Final = "bwrap"


class ProcessRunner:
    """Starts sidecars, each kept apart as its launch's policy says.

    Args:
        environ: The broker's own variables; sidecars get a few of them and what their launch adds.
        isolator: Keeps them apart; None = under the broker's user. Closed by `close`.
        journal: Where they are written down, for a broker that comes after one that was killed; None = nowhere.
    """

    name = "process"

    def __init__(
        self, environ: Mapping[str, str], isolator: Isolator | None = None, journal: Journal | None = None
    ) -> None:
        self._environ = passed_on(environ)
        self._isolator = isolator or Isolator()
        self._journal = journal

    async def start(self, launch: Launch, logs: LogBuffer) -> ProcessSidecar:
        """Spawns the process in a session and group of its own; its stdin is its lifeline."""
        return await to_its_end(self._start(launch, logs), name=f"spawn {launch.provider_id}")

    async def _start(self, launch: Launch, logs: LogBuffer) -> ProcessSidecar:
        cell = self._isolator.admit(launch.provider_id, launch.instance, launch.command, launch.folder, launch.policy)
        record = Record.of(launch, cell)
        loop = asyncio.get_running_loop()
        try:
            if self._journal is not None:
                self._journal.write(record)
            transport, protocol = await loop.subprocess_exec(
                lambda: _Protocol(_LINE_LIMIT, loop),
                *cell.command,
                cwd=launch.folder,
                env=self._environ | told(launch, cell),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            self._freed(record, cell)
            raise
        if self._journal is not None:
            record = self._journal.spawned(record, transport.get_pid(), processes.identity(transport.get_pid()))
        process = asyncio.subprocess.Process(transport, protocol, loop)
        freed = functools.partial(self._freed, record, cell)
        return ProcessSidecar(process, transport, protocol.exited, launch.instance, cell, logs, freed)

    def leaving(self) -> None:
        """The broker is about to end; so are its sidecars."""

    def forget(self, provider_id: str) -> None:
        """Removes what lasts of a provider: its home and its user. Blocks for as long as that takes."""
        self._isolator.forget(provider_id)

    def close(self) -> None:
        """Removes the folders of sidecars. All have been stopped before."""
        self._isolator.close()

    def _freed(self, record: Record, cell: Cell) -> None:
        cell.remove()
        if self._journal is not None:
            self._journal.forget(record)


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
        instance: str,
        cell: Cell,
        logs: LogBuffer,
        freed: Callable[[], None],
    ) -> None:
        self._process = process
        self._transport = transport
        self._exited = exited
        self.instance = instance
        """The nonce that Describe must echo."""
        self._identity = processes.identity(process.pid)
        self._cell = cell
        self._logs = logs
        self._freed = freed
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
        return self._cell.address

    @property
    def tls(self) -> MutualTls | None:
        """How to connect over TCP."""
        return self._cell.tls

    @property
    def warnings(self) -> Sequence[str]:
        """What it could read of others, and why."""
        return self._cell.warnings

    @property
    def isolation(self) -> str:
        """How it is kept apart, in a line."""
        return self._cell.description

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""
        return self._ended.result() if self._ended.done() and not self._ended.cancelled() else None

    def configured(self) -> None:
        """Nothing: all it wrote was read as it came, and before this it had no secrets."""

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
        return resident_bytes(self.pid)

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
        # Those that left the group, too. Who is reaped has no group to ask for any more, but they carry its nonce.
        await asyncio.to_thread(processes.end_family, self.instance, who=self._identity, seconds=_FAMILY_SECONDS)
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
        await asyncio.to_thread(self._freed)

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
