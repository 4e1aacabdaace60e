"""Where secrets come from. A source gives a secret, None when it has none of that name, or says why it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from mediaconduit import tasks

from mediaconduit_broker.secrets.secret import Secret

LONGEST: Final = 64 * 1024
"""Bytes a secret may have."""
_AT_ONCE: Final = 4
"""Commands that run at the same time, also when a hundred providers start together."""


class SourceError(Exception):
    """A source could not be asked. The text names no value and no path."""


class SecretSource(Protocol):
    """One place."""

    name: str
    """"environment", "folder", "command"."""

    async def find(self, name: str) -> Secret | None:
        """The secret of that name; None when there is none here, or it is empty.

        Raises:
            SourceError: Whether there is one cannot be told.
        """

    def advice(self, name: str) -> str:
        """Where to put a secret of that name, as half a sentence."""


class EnvironmentSource:
    """The broker's own variables.

    Args:
        environ: All of them. The broker's own settings (``MEDIACONDUIT_…``) are no secrets to hand on.
    """

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def find(self, name: str) -> Secret | None:
        """The variable of that name."""
        value = "" if name.startswith("MEDIACONDUIT_") else self._environ.get(name, "")
        return Secret(value, self.name) if value else None

    def advice(self, name: str) -> str:
        """Where to put it."""
        return f"in the broker's environment ({name}=…), which is read when the broker starts,"


class FolderSource:
    """A folder with one file for each secret, as Kubernetes mounts them. Read anew each time.

    Args:
        folder: The folder; it may come later.
    """

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, name: str) -> Secret | None:
        """What the file of that name holds, without the newline at its end."""
        return await asyncio.to_thread(self._read, name)

    def advice(self, name: str) -> str:
        """Where to put it."""
        return f"in a file {name} in the secrets folder"

    def _read(self, name: str) -> Secret | None:
        try:
            # Not blocking: a pipe that nobody writes to would be waited for.
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise SourceError(f"{name} in the secrets folder is no file")
                data = os.read(handle, LONGEST + 1)
            finally:
                os.close(handle)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(f"the file {name} in the secrets folder cannot be read: {error.strerror}") from None
        return _decoded(data, f"the file {name}", self.name)


class CommandSource:
    """A command whose stdout is the secret; run without a shell, once for each look-up.

    Args:
        command: The program and its arguments, in which ``{name}`` stands for the secret's name.
        environ: Its variables.
        timeout: Seconds it may take.
    """

    name = "command"

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], timeout: float) -> None:
        self._command = tuple(command)
        self._environ = dict(environ)
        self._timeout = timeout
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def find(self, name: str) -> Secret | None:
        """What the command writes to stdout, without the newline at its end; None when it ends with another code."""
        async with self._places:
            try:
                async with asyncio.timeout(self._timeout):
                    code, data = await self._run([part.replace("{name}", name) for part in self._command])
            except TimeoutError:
                raise SourceError(f"the secrets command took longer than {self._timeout:g} s for {name}") from None
            except OSError as error:
                raise SourceError(f"the secrets command could not be started: {error.strerror}") from None
        if code != 0:
            # What it wrote to stderr went to the broker's: it is the operator's own command.
            raise SourceError(f"the secrets command ended with code {code} for {name}")
        return _decoded(data, f"the secrets command's answer for {name}", self.name)

    def advice(self, name: str) -> str:
        """Where to put it."""
        return f"where the secrets command finds {name}"

    async def _run(self, command: Sequence[str]) -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        data = b""
        try:
            while len(data) <= LONGEST and (chunk := await process.stdout.read(LONGEST)):
                data += chunk
            if len(data) <= LONGEST:
                return await process.wait(), data
            return 0, data
        finally:
            # Also what it left running: nobody else would end it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await tasks.shielded(process.wait(), timeout=5, name="reap the secrets command")


def _decoded(data: bytes, what: str, source: str) -> Secret | None:
    if len(data) > LONGEST:
        raise SourceError(f"{what} is larger than {LONGEST // 1024} KiB")
    try:
        value = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"{what} is not text (UTF-8)") from None
    value = value.rstrip("\r\n")
    if "\0" in value:
        raise SourceError(f"{what} holds a zero byte, which no variable can")
    return Secret(value, source) if value else None
