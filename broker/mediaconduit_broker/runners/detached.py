"""Sidecars that survive the broker: a keeper is their parent, and the next broker finds them by their journal."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from mediaconduit import tasks
from mediaconduit.channels import MutualTls

from mediaconduit_broker.isolation import Cell, Isolator
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.client import (
    KeeperClient,
    KeeperLostError,
    KeeperRefusedError,
    end_keeper,
    start_keeper,
)
from mediaconduit_broker.runners.base import Exit, Launch
from mediaconduit_broker.runners.journal import Journal, Record, fingerprint
from mediaconduit_broker.runners.logs import LineReader, LogBuffer
from mediaconduit_broker.runners.memory import resident_bytes
from mediaconduit_broker.runners.starting import to_its_end
from mediaconduit_broker.runners.variables import passed_on, told

_KILL_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3
_LAST_LINES: Final = 12
_HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How an HTTP/2 client begins: the preface and empty settings. A server answers with its own."""

_log = structlog.get_logger(__name__)


class DetachedRunner:
    """Starts sidecars below a keeper, and takes over those that an earlier broker started.

    Args:
        environ: The broker's own variables.
        isolator: Keeps sidecars apart. Its folders outlive the broker.
        journal: Where sidecars are written down.
        lease: Seconds that sidecars run on without a broker.
    """

    name = "process"

    def __init__(self, environ: Mapping[str, str], isolator: Isolator, journal: Journal, lease: float) -> None:
        self._environ = environ
        self._isolator = isolator
        self._journal = journal
        self._lease = lease
        self._folder = isolator.sockets / "keeper"
        self._client: KeeperClient | None = None
        self._connecting = asyncio.Lock()
        self._found: dict[str, Record] = {}
        """Sidecars of the broker before that nobody has taken over yet, by instance."""
        self.is_leaving = False

    async def open(self, wanted: Collection[str]) -> None:
        """Finds what an earlier broker left; ends what belongs to none of the wanted providers.

        Raises:
            OSError: The keeper could not be started.
        """
        client = await self._keeper()
        records = {record.instance: record for record in await asyncio.to_thread(self._journal.all)}
        held = {told["instance"]: told for told in (await client.ask("list"))["sidecars"]}
        # Between the spawn and its entry in the journal a broker may have been killed: the keeper knows better.
        self._found = {
            instance: self._journal.spawned(record, held[instance]["pid"], held[instance]["identity"])
            for instance, record in records.items()
            if instance in held
        }
        await asyncio.to_thread(self._journal.end_leftovers, [r for r in records.values() if r.instance not in held])
        for instance in held.keys() - records.keys():
            await end(client, instance)
        for record in [record for record in self._found.values() if record.provider_id not in wanted]:
            await self.discard(record)

    async def start(self, launch: Launch, logs: LogBuffer) -> DetachedSidecar:
        """The sidecar that an earlier broker started in just this way, or a new one.

        Raises:
            OSError: It could not be started.
            PreconditionError: It cannot be kept apart as its policy says.
        """
        return await to_its_end(self._start(launch, logs), name=f"spawn {launch.provider_id}")

    async def _start(self, launch: Launch, logs: LogBuffer) -> DetachedSidecar:
        client = await self._keeper()
        for record in [record for record in self._found.values() if record.provider_id == launch.provider_id]:
            sidecar = await self._take_over(client, record, launch, logs)
            if sidecar is not None:
                return sidecar
        cell = self._isolator.admit(launch.provider_id, launch.instance, launch.command, launch.folder, launch.policy)
        record = Record.of(launch, cell)
        try:
            self._journal.write(record)
            spawned = await self._spawn(client, launch, cell)
        except BaseException:
            cell.remove()
            self._journal.forget(record)
            raise
        record = self._journal.spawned(record, spawned["pid"], spawned["identity"])
        return DetachedSidecar(self, client, record, cell, logs, fresh=True)

    def leaving(self) -> None:
        """The broker is about to end: from here on sidecars are let go, not stopped."""
        self.is_leaving = True
        _log.info("sidecars stay", seconds=self._lease, hint="`mediaconduit down` ends them")

    async def aclose(self) -> None:
        """Parts from the keeper."""
        if self._client is not None:
            await self._client.aclose()

    def forget(self, provider_id: str) -> None:
        """Removes what lasts of a provider: home, user, a sidecar that nobody took over. Blocks for that long."""
        left = [record for record in list(self._found.values()) if record.provider_id == provider_id]
        for record in left:
            self._found.pop(record.instance, None)
        self._journal.end_leftovers(left)
        self._isolator.forget(provider_id)

    async def discard(self, record: Record) -> None:
        """Ends a sidecar that nobody will take over."""
        self._found.pop(record.instance, None)
        if self._client is not None:
            await end(self._client, record.instance)
        await asyncio.to_thread(self._journal.end_leftovers, [record])

    async def freed(self, record: Record, cell: Cell) -> None:
        """A sidecar is gone: removes what was its own."""
        await asyncio.to_thread(cell.remove)
        self._journal.forget(record)

    async def _keeper(self) -> KeeperClient:
        async with self._connecting:
            for attempt in range(_ATTEMPTS):
                if self._client is not None and not self._client.lost:
                    return self._client
                if self._client is not None:
                    await self._client.aclose()
                    self._client = None
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                await start_keeper(self._folder, self._lease, self._environ)
                try:
                    self._client = await KeeperClient.connect(self._folder, self._lease)
                except KeeperRefusedError:
                    _log.warning("the keeper is of another version", hint="its sidecars are started anew")
                    await asyncio.to_thread(end_keeper, self._folder)
                except OSError:
                    if attempt == _ATTEMPTS - 1:
                        raise
        if self._client is None:
            raise OSError(None, "the keeper could not be reached")
        return self._client

    async def _take_over(
        self, client: KeeperClient, record: Record, launch: Launch, logs: LogBuffer
    ) -> DetachedSidecar | None:
        """The sidecar, when it is as the launch wants it and answers; else it is ended."""
        del self._found[record.instance]
        cell = record.cell(launch.policy)
        sidecar = DetachedSidecar(self, client, record, cell, logs, fresh=False)
        if record.fingerprint == fingerprint(launch) and sidecar.alive() and await _answers(cell.socket):
            _log.info("found again", provider=record.provider_id, process=record.pid)
            return sidecar
        if not sidecar.alive():
            exit_ = await sidecar.wait()
            logs.append(f"while no broker was there the sidecar {exit_}", "warning")
        await sidecar.stop(0)
        return None

    async def _spawn(self, client: KeeperClient, launch: Launch, cell: Cell) -> dict[str, Any]:
        try:
            return await client.ask(
                "spawn",
                instance=launch.instance,
                command=cell.command,
                cwd=str(launch.folder),
                environ=passed_on(self._environ) | told(launch, cell),
                folders=[str(folder) for folder in cell.folders],
            )
        except KeeperRefusedError as error:
            raise OSError(None, str(error)) from error


class DetachedSidecar:
    """A keeper's child, as a broker sees it."""

    def __init__(
        self, runner: DetachedRunner, client: KeeperClient, record: Record, cell: Cell, logs: LogBuffer, *, fresh: bool
    ) -> None:
        self._runner = runner
        self._client = client
        self._record = record
        self._cell = cell
        self._logs = logs
        self._owner = tasks.TaskOwner()
        # What one wrote that has had secrets is read when the redactor knows them.
        self._readable = asyncio.Event()
        if fresh:
            self._readable.set()
        self._pipes = {name: asyncio.StreamReader() for name in ("stdout", "stderr")}
        self._readers = [
            self._owner.start(self._read(LineReader(stream, logs)), name=f"{name} of {self.pid}")
            for name, stream in self._pipes.items()
        ]
        self._ended = self._owner.start(self._watch(), name=f"exit of {self.pid}")

    @property
    def pid(self) -> int:
        """Process id, which is also its group's."""
        return self._record.pid

    @property
    def instance(self) -> str:
        """The nonce that Describe must echo."""
        return self._record.instance

    @property
    def target(self) -> str:
        """gRPC target."""
        return self._cell.address

    @property
    def tls(self) -> MutualTls | None:
        """None: sockets of detached sidecars are Unix sockets."""
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
        """What it wrote may be read."""
        self._readable.set()

    def alive(self) -> bool:
        """Asks the kernel."""
        return not self._ended.done() and processes.running(self.pid, self._record.identity)

    async def wait(self) -> Exit:
        """Returns when it has ended and its last lines are read."""
        return await asyncio.shield(self._ended)

    def memory_bytes(self) -> int:
        """Resident memory of the process and its descendants."""
        return resident_bytes(self.pid)

    def kill(self) -> None:
        """SIGKILL to it and everything it started."""
        self._client.post("kill", instance=self.instance, signal="KILL")
        self._cell.kill()

    async def stop(self, grace: float) -> None:
        """Asks it to drain, then kills it and what it started. When the broker leaves it is only let go."""
        if self._runner.is_leaving:
            await self._owner.aclose()
            return
        if not self._ended.done():
            self._client.post("kill", instance=self.instance, signal="TERM")
        try:
            await asyncio.wait([self._ended], timeout=grace)
        finally:
            await tasks.shielded(self._gone(), timeout=2 * _KILL_SECONDS, name=f"end of {self.pid}")

    async def _gone(self) -> None:
        if not self._ended.done():
            self.kill()
            await asyncio.wait([self._ended])
        await self._owner.aclose()
        self._client.post("forget", instance=self.instance)
        await self._runner.freed(self._record, self._cell)

    async def _watch(self) -> Exit:
        try:
            returned = await self._follow()
        except (KeeperLostError, KeeperRefusedError):
            # Its lifeline has closed. What does not hear that is not waited for long.
            leader = self.pid if processes.running(self.pid, self._record.identity) else 0
            await asyncio.to_thread(processes.wait_gone, [leader] if leader else [], _KILL_SECONDS)
            leader = self.pid if processes.running(self.pid, self._record.identity) else 0
            await asyncio.to_thread(processes.end_family, self.instance, leader, self._record.identity)
            returned = None
        for stream in self._pipes.values():
            stream.feed_eof()
        if self._readable.is_set():
            await tasks.join(*self._readers)
        if returned is None:
            return Exit(None, None)
        lines = (line.text for line in self._logs.tail(_LAST_LINES))
        return Exit.of(returned, self._cell.limit_reached(lines), wrapped=self._cell.sandboxed)

    async def _read(self, reader: LineReader) -> None:
        await self._readable.wait()
        await reader.run()

    async def _follow(self) -> int:
        """Passes on what it writes; gives what waiting for it gave the keeper."""
        async with contextlib.aclosing(self._client.stream("follow", instance=self.instance)) as answers:
            async for answer in answers:
                if "exit" in answer:
                    code, signal = answer["exit"]["code"], answer["exit"]["signal"]
                    return int(code if signal is None else -signal)
                self._pipes[answer["pipe"]].feed_data(base64.b64decode(answer["data"]))
        raise KeeperLostError


async def end(client: KeeperClient, instance: str) -> None:
    """Has the keeper kill a sidecar and forget it; returns when it is gone, or the keeper is."""
    with contextlib.suppress(KeeperLostError, KeeperRefusedError):
        client.post("kill", instance=instance, signal="KILL")
        async with contextlib.aclosing(client.stream("follow", instance=instance)) as answers:
            async for answer in answers:
                if "exit" in answer:
                    break
        client.post("forget", instance=instance)


async def _answers(socket: Path) -> bool:
    """Whether somebody serves there who is not stopped or hung: the kernel alone would take the connection."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(_HELLO)
                return bool(await reader.read(1))
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
