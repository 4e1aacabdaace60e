"""One running ffmpeg.

It is fed, listened to and watched at once; its owner takes what comes in order. When the owner stops taking, the pipes
fill and ffmpeg waits. When the owner leaves, ffmpeg is killed and everything has ended before the owner goes on.

ffmpeg stays in the sidecar's process group on purpose: it starts no children of its own, and whoever ends the
sidecar's group ends it as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from mediaconduit.streams import CHUNK_BYTES, Mailbox
from mediaconduit.tasks import cancel_and_join, shielded, start
from mediaconduit_provider import CallTimeoutError, Input, Reason

from ffmpeg_provider import probe
from ffmpeg_provider.progress import ProgressReader, Tick

_AHEAD_BYTES: Final = 1024 * 1024
"""Output held here for a slow reader."""
_BANNER_LINES: Final = 2000
_LAST_LINES: Final = 40
_LINE_BYTES: Final = 64 * 1024
_PROBE_SECONDS: Final = 60.0
_REAP_SECONDS: Final = 10.0

Environment = dict[str, str]


def _environment() -> Environment:
    """No variables of ours, English messages, no colours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"}


async def run_to_end(command: Sequence[str]) -> list[str]:
    """Runs a short ffmpeg, gives its log. Raises `CallTimeoutError` after a minute."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
        env=_environment(),
    )
    log = Log()
    try:
        assert process.stderr is not None
        async with asyncio.timeout(_PROBE_SECONDS):
            async for line in _lines(process.stderr):
                log.add(line)
            await process.wait()
    except TimeoutError:
        raise CallTimeoutError(
            f"ffmpeg did not get to know the input within {_PROBE_SECONDS:.0f} s",
            reason=Reason.VENDOR_TIMEOUT,
            hint="check that the input is whole",
        ) from None
    finally:
        await end(process)
    return log.banner


async def end(process: asyncio.subprocess.Process) -> None:
    """Kills a process unless it has ended, and returns when it is gone, whatever happens to the caller meanwhile."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await shielded(_reap(process), timeout=_REAP_SECONDS, name="ffmpeg reaper")


async def _reap(process: asyncio.subprocess.Process) -> None:
    # `wait` also waits for the pipes: what is still in them must be read away.
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            while await stream.read(CHUNK_BYTES):
                pass
    await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Lines of a stream; of those that are too long, only the end."""
    while True:
        try:
            raw = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raw = error.partial
        except asyncio.LimitOverrunError as error:
            await stream.readexactly(error.consumed)
            continue
        if not raw:
            return
        yield raw.decode("utf-8", "replace").rstrip("\r\n")


class Log:
    """What ffmpeg said: how it began, and last."""

    def __init__(self) -> None:
        self.banner: list[str] = []
        self.last: deque[str] = deque(maxlen=_LAST_LINES)

    def add(self, line: str) -> None:
        """One more line."""
        if len(self.banner) < _BANNER_LINES:
            self.banner.append(line)
        self.last.append(line)


class Run:
    """A running ffmpeg; use as an async context manager and iterate for its output and its ticks.

    Args:
        command: Given the number of the descriptor for ``-progress``, the command line.
        feed: The input to write to its stdin, if any.
        check: Called with the log once all inputs are described, before any output is given; may raise.
        failed: Makes the error for an exit status and the last lines.
        look: Called with the first bytes that are fed.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        *,
        feed: Input | None,
        check: Callable[[list[str]], None],
        failed: Callable[[int, Sequence[str]], Exception],
        look: Callable[[bytes], None],
    ) -> None:
        self._command, self._feed, self._look = command, feed, look
        self._check, self._failed = check, failed
        self.log = Log()
        self._described = asyncio.Event()
        self._box: Mailbox[bytes | Tick] = Mailbox(_AHEAD_BYTES)
        self._tasks: list[asyncio.Task[Any]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._progress: asyncio.ReadTransport | None = None

    async def __aenter__(self) -> Run:
        reader, writer = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(writer),
                stdin=asyncio.subprocess.PIPE if self._feed else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=CHUNK_BYTES,
                pass_fds=(writer,),
                env=_environment(),
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        try:
            ticks = await self._open(reader)
        except BaseException:
            await end(self._process)
            raise
        self._tasks = [start(self._watch(self._process, ticks), name="ffmpeg watch")]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        try:
            # First of all: nothing may go on working for a caller who has left.
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await cancel_and_join(*self._tasks)
        finally:
            await end(self._process)
            if self._progress is not None:
                self._progress.close()

    async def __aiter__(self) -> AsyncIterator[bytes | Tick]:
        while items := await self._box.take():
            for item in items:
                yield item

    async def _open(self, descriptor: int) -> asyncio.StreamReader:
        stream = asyncio.StreamReader(limit=_LINE_BYTES)
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        try:
            self._progress, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(stream), pipe
            )
        except BaseException:
            pipe.close()
            raise
        return stream

    async def _watch(self, process: asyncio.subprocess.Process, ticks: asyncio.StreamReader) -> None:
        """Runs the four pipes, and ends the box with what became of it all."""
        error: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(process), name="ffmpeg stderr")
                group.create_task(self._count(ticks), name="ffmpeg progress")
                group.create_task(self._collect(process), name="ffmpeg stdout")
                feeder = start(self._write(process), name="ffmpeg stdin")
                self._tasks.append(feeder)
                feeder.add_done_callback(lambda task: self._fed(process, task))
            status = await process.wait()
            await cancel_and_join(feeder)
            if not feeder.cancelled() and (wrong := feeder.exception()) is not None:
                error = wrong  # what went wrong with the input comes before what ffmpeg made of it
            elif status != 0:
                error = self._failed(status, [*self.log.banner[-40:], *self.log.last])
        except* Exception as group_error:
            error = group_error.exceptions[0]
        finally:
            self._box.close(error)

    def _fed(self, process: asyncio.subprocess.Process, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def _write(self, process: asyncio.subprocess.Process) -> None:
        if self._feed is None or process.stdin is None:
            return
        first = True
        try:
            async for chunk in self._feed.chunks():
                if first and chunk:
                    self._look(chunk)
                    first = False
                process.stdin.write(chunk)
                await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # ffmpeg has all it wants
        finally:
            process.stdin.close()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        try:
            async for line in _lines(process.stderr):
                self.log.add(line)
                if probe.is_banner_end(line):
                    self._described.set()
        finally:
            self._described.set()

    async def _count(self, stream: asyncio.StreamReader) -> None:
        reader = ProgressReader()
        async for line in _lines(stream):
            if (tick := reader.feed(line)) is not None:
                self._box.put(tick, 0)

    async def _collect(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        await self._described.wait()
        self._check(self.log.banner)
        while chunk := await process.stdout.read(CHUNK_BYTES):
            if self._box.put(chunk, len(chunk)):
                await self._box.room()
