"""The broker's side: starts a keeper, asks it, follows its sidecars, renews its lease."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Final

from mediaconduit import tasks

from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.protocol import PROTOCOL, Frames, ProtocolError, frame

SOCKET: Final = "keeper.sock"
LOCK: Final = "keeper.lock"
_TAKEN: Final = 75
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL")
_START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 30.0
_END_SECONDS: Final = 20.0


class KeeperLostError(OSError):
    """The keeper has ended; so do its sidecars."""

    def __init__(self) -> None:
        super().__init__(None, "the keeper has ended")


class KeeperRefusedError(Exception):
    """The keeper refuses a request. ``code`` says why, for machines."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def start_keeper(folder: Path, lease: float, environ: Mapping[str, str]) -> None:
    """Starts a keeper for a folder, unless there is one; returns once it listens.

    Raises:
        OSError: It could not be started.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-E", "-P", "-m", "mediaconduit_broker.keeper", str(folder), str(lease)),
        env={key: environ[key] for key in _PASSED_ON if key in environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await tasks.shielded(process.wait(), timeout=5, name="reap keeper")
        raise
    if process.returncode not in (0, _TAKEN):
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise OSError(None, f"the keeper could not be started: {last[:200]}")


class KeeperClient:
    """A connection to a keeper; renews its lease as long as it is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._owner = tasks.TaskOwner()
        self.lost = False
        """The connection has ended."""
        self._owner.start(self._read(), name="keeper")

    @classmethod
    async def connect(cls, folder: Path, lease: float) -> KeeperClient:
        """Connects to the keeper of a folder.

        Raises:
            OSError: There is none.
            KeeperRefusedError: It is of another version.
            KeeperLostError: It has just ended.
        """
        client = cls(*await asyncio.open_unix_connection(str(folder / SOCKET)))
        try:
            answer = await client.ask("hello", protocol=PROTOCOL, lease=lease)
            if answer["protocol"] != PROTOCOL:
                raise KeeperRefusedError("protocol", "the keeper is of another version")
        except BaseException:
            await client.aclose()
            raise
        client._owner.start(client._renew(lease / 3), name="lease of the keeper")
        return client

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """A request and its answer.

        Raises:
            KeeperRefusedError: As the keeper refuses it.
            KeeperLostError: The keeper has ended.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), contextlib.aclosing(self.stream(op, **fields)) as answers:
                return dict((await anext(answers))["ok"])
        except TimeoutError:
            raise KeeperRefusedError("timeout", "the keeper does not answer") from None

    async def stream(self, op: str, **fields: Any) -> AsyncGenerator[dict[str, Any], None]:
        """A request and its answers, as they come; never ends by itself.

        Raises:
            KeeperRefusedError: As the keeper refuses it.
            KeeperLostError: The keeper has ended.
        """
        number = next(self._numbers)
        queue = self._answers[number] = asyncio.Queue()
        try:
            self._send(number, op, fields)
            while (answer := await queue.get()) is not None:
                if "error" in answer:
                    raise KeeperRefusedError(answer["error"], answer["message"])
                yield answer
        finally:
            del self._answers[number]
        raise KeeperLostError

    def post(self, op: str, **fields: Any) -> None:
        """A request whose answer does not matter; none when the keeper has ended."""
        with contextlib.suppress(KeeperLostError):
            self._send(next(self._numbers), op, fields)

    async def aclose(self) -> None:
        """Ends the connection; the keeper stays."""
        await self._owner.aclose()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, number: int, op: str, fields: Mapping[str, Any]) -> None:
        if self.lost:
            raise KeeperLostError
        self._writer.write(frame({"id": number, "op": op, **fields}))

    async def _read(self) -> None:
        frames = Frames()
        try:
            while data := await self._reader.read(65536):
                for message in frames.feed(data):
                    if (queue := self._answers.get(message["id"])) is not None:
                        queue.put_nowait(message)
        except (OSError, ProtocolError):
            pass
        finally:
            self.lost = True
            for queue in self._answers.values():
                queue.put_nowait(None)

    async def _renew(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(KeeperLostError, KeeperRefusedError):
                await self.ask("renew")


def end_keeper(folder: Path, seconds: float = _END_SECONDS) -> int | None:
    """Has a folder's keeper end its sidecars and itself, and waits for that; one that does not is killed. Blocks.

    Args:
        folder: Its folder.
        seconds: How long it may be silent.

    Returns:
        How many sidecars it ended; None when there is no keeper.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(folder / SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        ended = 0
        frames = Frames()
        try:
            connection.sendall(frame({"id": 1, "op": "shutdown"}))
            while data := connection.recv(65536):
                for message in frames.feed(data):
                    ended = message.get("ok", {}).get("sidecars", ended)
        except ConnectionError:
            pass
        except TimeoutError:
            _kill(folder)
        return ended


def _kill(folder: Path) -> None:
    """Kills the keeper of a folder: its sidecars' lifelines close with it."""
    pid, _, who = (folder / LOCK).read_text().partition(" ")
    if pid and processes.running(int(pid), who):
        processes.kill([int(pid)])
        processes.wait_gone([int(pid)], _START_SECONDS)
