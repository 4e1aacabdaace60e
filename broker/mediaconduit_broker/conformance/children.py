"""Processes that the suite starts beside the sidecar, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from mediaconduit import tasks
from mediaconduit.errors import PreconditionError, Reason

_REAP_SECONDS: Final = 5.0
_URL_SECONDS: Final = 30.0
_LAST_LINES: Final = 12
_URL: Final = re.compile(r"https?://\S+")


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str], *, folder: Path, environ: Mapping[str, str], piped: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process in a group of its own, whose stdin is at its end. The whole group is gone afterwards.

    Args:
        command: The program and its arguments.
        folder: Where it works.
        environ: All variables it gets.
        piped: Whether what it writes can be read from its stdout; it goes nowhere otherwise.

    Raises:
        OSError: It could not be started.
    """
    # Never cut short: asyncio would forget a child that is just being made.
    starting = tasks.start(_spawn(command, folder, environ, piped), name=f"start {command[0]}")
    try:
        await tasks.join(starting)
        yield starting.result()
    finally:
        if not starting.cancelled() and starting.exception() is None:
            process = starting.result()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await tasks.shielded(process.wait(), timeout=_REAP_SECONDS, name=f"reap {process.pid}")


@contextlib.asynccontextmanager
async def stand_in(command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """What a provider's repository has to stand in for its vendor: gives its URL, the first that it writes.

    Raises:
        PreconditionError: It cannot be started, ended, or wrote no URL.
    """
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async with running(command, folder=folder, environ=environ, piped=True) as process:
            assert process.stdout is not None
            url = await _first_url(process.stdout, lines)
            reading = tasks.start(_read_on(process.stdout, lines), name="output of the stand-in")
            try:
                yield url
            finally:
                await tasks.cancel_and_join(reading)
    except OSError as error:
        raise _failed(f"could not be started: {error.strerror}", lines) from None


async def _spawn(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], piped: bool
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=dict(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT if piped else asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _first_url(stream: asyncio.StreamReader, lines: deque[str]) -> str:
    try:
        async with asyncio.timeout(_URL_SECONDS):
            while line := await stream.readline():
                lines.append(line.decode("utf-8", "replace").rstrip())
                if match := _URL.search(lines[-1]):
                    return match[0].rstrip("/")
    except TimeoutError:
        raise _failed(f"wrote no URL within {_URL_SECONDS:g} s", lines) from None
    raise _failed("ended before it wrote a URL", lines)


async def _read_on(stream: asyncio.StreamReader, lines: deque[str]) -> None:
    while line := await stream.readline():
        lines.append(line.decode("utf-8", "replace").rstrip())


def _failed(why: str, lines: Sequence[str]) -> PreconditionError:
    return PreconditionError(
        f"what stands in for the vendor {why}",
        reason=Reason.BUILD_FAILED,
        metadata={"step": "conformance.upstream", "last_lines": "\n".join(lines)},
        hint="conformance.upstream in the manifest is a command that serves and writes its URL; --live does without",
    )
