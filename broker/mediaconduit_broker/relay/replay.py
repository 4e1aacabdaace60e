"""A repeated request_id attaches to the call that runs or ran: one run, any number of readers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.message import Message
from mediaconduit import tasks
from mediaconduit.errors import InvalidRequestError, MediaConduitError, Reason

from mediaconduit_broker.relay.pump import IN_FLIGHT_BYTES, Write, joined

Run = Callable[[Write], Awaitable[None]]

TOTAL_BYTES: Final = 64 * 1024 * 1024
"""Kept over all finished runs; the oldest go first."""


class SharedRun:
    """One run and its frames. Readers follow from the first frame on; the slowest one sets the pace."""

    def __init__(self, content: bytes, limit: int) -> None:
        self.content = content
        self.size = 0
        self.done = False
        self.error: BaseException | None = None
        self.task: asyncio.Task[None] | None = None
        self._limit = limit
        self._frames: list[bytes] = []
        self._dropped = 0
        self._positions: dict[object, int] = {}
        self._changed = asyncio.Event()

    @property
    def readers(self) -> int:
        """How many follow it now."""
        return len(self._positions)

    async def append(self, frame: bytes) -> None:
        """Adds a frame; waits while the slowest reader is too far behind."""
        self._frames.append(frame)
        self.size += len(frame)
        self._wake()
        while self._behind() > IN_FLIGHT_BYTES:
            await self._changed.wait()
        if self.size > self._limit:
            # Nobody can begin at the first event any more; whoever reads has these already.
            read = min(self._positions.values(), default=self._dropped) - self._dropped
            self.size -= sum(map(len, self._frames[:read]))
            self._dropped += read
            del self._frames[:read]

    def end(self, error: BaseException | None) -> None:
        """No more frames."""
        self.done, self.error = True, error
        self._wake()

    async def follow(self, write: Write) -> None:
        """Writes all frames from the first on, then raises what the run ended with.

        Raises:
            InvalidRequestError: EVENTS_EXPIRED: the first ones are not kept any more.
        """
        if self._dropped:
            raise InvalidRequestError(
                "the first events of this request are not kept any more",
                reason=Reason.EVENTS_EXPIRED,
                hint="send it again under a new request_id, or as a job",
            )
        reader = object()
        self._positions[reader] = 0
        try:
            while True:
                position = self._positions[reader]
                fresh = self._frames[position - self._dropped :]
                if fresh:
                    for message in joined(fresh):
                        await write(message)
                    self._positions[reader] = position + len(fresh)
                    self._wake()
                elif self.done:
                    break
                else:
                    await self._changed.wait()
        finally:
            del self._positions[reader]
            self._wake()
        if self.error is not None:
            raise self.error

    def _behind(self) -> int:
        slowest = min(self._positions.values(), default=self._dropped + len(self._frames))
        return sum(map(len, self._frames[slowest - self._dropped :]))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Replays:
    """Runs by caller and request_id. Owns their tasks.

    Args:
        limit: Bytes of events kept of one run.
        seconds: How long a run that succeeded is kept.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._runs: dict[tuple[str, str], SharedRun] = {}
        self._owner = tasks.TaskOwner()

    async def follow(self, caller: str, request_id: str, content: Message, run: Run, write: Write) -> None:
        """Follows the run of this request, which is started when there is none.

        Raises:
            InvalidRequestError: REQUEST_ID_REUSED: the id was used for another content.
        """
        key = (caller, request_id)
        digest = hashlib.sha256(content.SerializeToString(deterministic=True)).digest()
        shared = self._runs.get(key)
        if shared is None:
            shared = self._runs[key] = SharedRun(digest, self._limit)
            shared.task = self._owner.start(self._carry_out(key, shared, run), name=f"run {request_id}")
        elif shared.content != digest:
            raise InvalidRequestError(
                "this request_id was used for another request",
                reason=Reason.REQUEST_ID_REUSED,
                hint="give every new request an id of its own",
            )
        try:
            await shared.follow(write)
        finally:
            if not shared.readers and not shared.done:
                # Nobody reads any more: as when a caller without a request_id leaves.
                self._runs.pop(key, None)
                if shared.task is not None:
                    await tasks.cancel_and_join(shared.task)

    async def aclose(self) -> None:
        """Ends what runs and forgets what ran."""
        self._runs.clear()
        await self._owner.aclose()

    async def _carry_out(self, key: tuple[str, str], shared: SharedRun, run: Run) -> None:
        error: BaseException | None = None
        try:
            await run(shared.append)
        except MediaConduitError as failure:
            error = failure
        except BaseException as failure:
            error = failure
            raise
        finally:
            shared.end(error)
            if self._runs.get(key) is shared:
                if error is None:
                    asyncio.get_running_loop().call_later(self._seconds, self._forget, key, shared)
                    self._trim()
                else:
                    del self._runs[key]

    def _forget(self, key: tuple[str, str], shared: SharedRun) -> None:
        if self._runs.get(key) is shared:
            del self._runs[key]

    def _trim(self) -> None:
        total = sum(run.size for run in self._runs.values())
        for key, run in list(self._runs.items()):
            if total <= TOTAL_BYTES:
                break
            if run.done:
                total -= run.size
                del self._runs[key]
