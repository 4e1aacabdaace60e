"""Runs a command to its end: no shell, no inherited variables, nothing left when cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mediaconduit import tasks

_KEPT_BYTES = 64 * 1024
UV_VARIABLES: Final = frozenset(
    f"UV_{name}"
    for name in """DEFAULT_INDEX INDEX INDEX_URL EXTRA_INDEX_URL FIND_LINKS INDEX_STRATEGY KEYRING_PROVIDER
    INSECURE_HOST
    NATIVE_TLS SYSTEM_CERTS CACHE_DIR OFFLINE HTTP_TIMEOUT HTTP_RETRIES REQUEST_TIMEOUT CONCURRENT_DOWNLOADS
    CONCURRENT_INSTALLS PYTHON_INSTALL_DIR PYTHON_PREFERENCE EXCLUDE_NEWER""".split()
)
"""What uv gets of its variables: where packages are and how they are fetched. Some of the others hold tokens."""


class CommandFailedError(Exception):
    """A command ended with another code than 0. ``output`` is the end of what it wrote."""

    def __init__(self, returncode: int, output: str) -> None:
        super().__init__(f"exit code {returncode}")
        self.returncode = returncode
        self.output = output


async def run_command(*command: str, environ: Mapping[str, str], folder: Path | None = None, nice: int = 0) -> str:
    """What the command wrote to stdout and stderr, its last 64 KiB.

    Args:
        command: The program and its arguments.
        environ: All variables it gets.
        folder: Where it works; None = where this process does.
        nice: How far it stands back where processors are short, 0 to 19; what it starts does too.

    Raises:
        CommandFailedError: It failed.
        OSError: It could not be started.
    """
    # Never cut short: asyncio would kill the process alone, and wait for what it has started.
    starting = tasks.start(_start(command, environ, folder, nice), name=f"start {command[0]}")
    try:
        await tasks.join(starting)
        process = starting.result()
        output = await _drain(process)
        code = await process.wait()
    except BaseException:
        if not starting.cancelled() and starting.exception() is None:
            await _end(starting.result())
        raise
    if code != 0:
        raise CommandFailedError(code, output)
    return output


async def _start(
    command: Sequence[str], environ: Mapping[str, str], folder: Path | None, nice: int
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environ),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    if nice:
        # Of its whole group: it may have started others already. One that has ended needs no more.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, process.pid, nice)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the process and all it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await tasks.shielded(process.wait(), timeout=5, name=f"reap {process.pid}")


async def _drain(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    kept = b""
    while chunk := await process.stdout.read(65536):
        kept = (kept + chunk)[-_KEPT_BYTES:]
    return kept.decode("utf-8", "replace")
