"""Engine processes: starting them ahead of need, talking to one, ending it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import espeakng_loader
from mediaconduit.tasks import TaskOwner, shielded
from mediaconduit_provider import InternalError, InvalidRequestError, Reason, UnavailableError

from speech_provider import engine as program
from speech_provider import frames
from speech_provider.espeak import Mark

READ_AHEAD: Final = 16 * 1024
"""Bytes asyncio may hold (twice over) before it leaves what comes in the pipe; then the pipe fills and the engine
waits."""
_END_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What an engine says of itself."""

    version: str
    """Like "1.52.0"."""
    sample_rate: int
    """Samples per second."""


class Engine:
    """A running engine process. Speaks one utterance; whoever took it ends it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._killed = False
        self.facts = Facts("", 0)

    @classmethod
    async def start(cls) -> Engine:
        """Starts one and waits until it is ready. Raises `UnavailableError` when it does not get there."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(program.__file__))),
            *(espeakng_loader.get_library_path(), espeakng_loader.get_data_path()),
            stdin=PIPE,
            stdout=PIPE,
            limit=READ_AHEAD,
        )
        engine = cls(process)
        try:
            kind, payload = await engine._receive()
            engine.facts = Facts(**json.loads(_expect(frames.READY, kind, payload)))
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as is known."""
        return self._process.returncode is None

    def kill(self) -> None:
        """Stops it wherever it is; `close` still has to be awaited."""
        if self._killed:  # a second kill could reap the process, and asyncio would not learn how it ended
            return
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Kills it if it still runs; returns when it is gone, also when cancelled meanwhile."""
        self.kill()
        await shielded(self._gone(), timeout=_END_SECONDS, name="engine-end")

    async def voices(self) -> list[dict[str, Any]]:
        """All voices, as `espeak.Espeak.voices` gives them."""
        self._send(frames.frame(frames.VOICES))
        found: list[dict[str, Any]] = json.loads(_expect(frames.VOICES, *await self._receive()))
        return found

    def configure(self, manner: program.Manner) -> None:
        """Says how to speak; once, before `speak`."""
        self._send(frames.frame(frames.MANNER, json.dumps(manner).encode()))

    async def speak(self, text: str, *, ssml: bool = False) -> AsyncGenerator[bytes | list[Mark], None]:
        """Speaks; gives audio as it is made and what happens in it, in order.

        Marks come before the audio they lie in; their samples count from the first `speak` of this engine. Raises
        `UnavailableError` when the engine dies.
        """
        self._send(frames.frame(frames.SSML if ssml else frames.TEXT, text.encode()))
        while True:
            kind, payload = await self._receive()
            if kind == frames.AUDIO:
                yield payload
            elif kind == frames.MARKS:
                yield [Mark(*mark) for mark in json.loads(payload)]
            else:
                _expect(frames.SPOKEN, kind, payload)
                return

    def _send(self, data: bytes) -> None:
        # Not drained: the engine reads a text whole before it says anything, and the text is in memory anyway.
        self._to.write(data)

    async def _receive(self) -> tuple[bytes, bytes]:
        try:
            kind, length = frames.HEADER.unpack(await self._from.readexactly(frames.HEADER.size))
            return kind, await self._from.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _END_SECONDS)
            await self.close()
            raise _crashed(self._process.returncode) from None

    async def _gone(self) -> None:
        self._to.close()
        while await self._from.read(READ_AHEAD):  # asyncio reports the end only after the pipe was read to its end
            pass
        await self._process.wait()


class EnginePool:
    """Starts engines, `warm` of them ahead of need. Owns those nobody has taken."""

    def __init__(self, warm: int = 1) -> None:
        self.warm = warm
        self._idle: list[Engine] = []
        self._tasks = TaskOwner()
        self._filling = False

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """An engine that has not spoken yet; gone at the end of the block, whatever it was doing."""
        taken = await self._take()
        self.refill()
        try:
            yield taken
        finally:
            await taken.close()

    def put(self, engine: Engine) -> None:
        """Gives it an engine that has not spoken yet."""
        self._idle.append(engine)

    async def ready(self) -> None:
        """Returns when no engine is being started in the background."""
        await self._tasks.join()

    def refill(self) -> None:
        """Starts as many as are missing, in the background."""
        if not self._filling and len(self._idle) < self.warm:
            self._filling = True
            self._tasks.start(self._fill(), name="engine-pool")

    async def close(self) -> None:
        """Ends all engines that nobody has taken."""
        await self._tasks.aclose()
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> Engine:
        while self._idle:
            engine = self._idle.pop()
            if engine.alive:
                return engine
            await engine.close()
        return await Engine.start()

    async def _fill(self) -> None:
        try:
            while len(self._idle) < self.warm:
                self._idle.append(await Engine.start())
        finally:
            self._filling = False


def _expect(wanted: bytes, kind: bytes, payload: bytes) -> bytes:
    if kind == wanted:
        return payload
    if kind == frames.REFUSED:
        raise InvalidRequestError(payload.decode(), hint="choose another voice, or change the text")
    raise InternalError("the speech engine answered out of turn", reason=Reason.VENDOR_PROTOCOL)


def _crashed(returncode: int | None) -> UnavailableError:
    code = returncode if returncode is not None else 0
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return UnavailableError(
        f"the speech engine died ({how}) while it spoke",
        reason=Reason.VENDOR_UNAVAILABLE,
        hint="call again: every utterance gets a fresh engine",
        metadata={"signal": str(-code)} if code < 0 else {"exit_code": str(code)},
        retry_after=0.1,
    )
