"""Runs one call: the author's code fills a mailbox, the handler of the call empties it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from mediaconduit.errors import (
    CallCancelledError,
    CallTimeoutError,
    InternalError,
    MediaConduitError,
    Reason,
    UnavailableError,
)
from mediaconduit.streams import CHUNK_BYTES, Mailbox
from mediaconduit.v1.events_pb2 import Progress, Provenance, TransformResponse

from mediaconduit_provider.encoder import Encoder
from mediaconduit_provider.host_call import HostCall
from mediaconduit_provider.metadata import CallFacts
from mediaconduit_provider.packing import Item, Packer
from mediaconduit_provider.threads import ThreadSource

IN_FLIGHT: Final = 64 * 1024
"""Weight that may wait in a call's mailbox."""
_DEADLINE_SLACK: Final = 0.2
"""Seconds by which the caller's clock may be ahead: who leaves so close to its deadline was driven by it."""
_TURN: Final = 0.001
"""Seconds an author may go on yielding before others get a turn."""

_log = logging.getLogger(__name__)


class Run:
    """One call under way.

    The task of `main` is owned by `Calls` and holds the call's place until the author's code has come back. The handler
    takes messages with `take`; leaving it cancels the author's code, once.
    """

    def __init__(
        self,
        call: HostCall,
        function: Callable[[Any], Any],
        facts: CallFacts,
        *,
        heartbeat: float,
        clean: Callable[[MediaConduitError], MediaConduitError] = lambda error: error,
    ) -> None:
        self.call = call
        self.facts = facts
        self.provenance = Provenance()
        self.error: MediaConduitError | None = None
        self._function = function
        self._mailbox: Mailbox[Item] = Mailbox(IN_FLIGHT)
        self._packer = Packer()
        self.encoder = Encoder(self._mailbox, call.media_type_for)
        self._heartbeat = heartbeat
        self._clean = clean
        self._leaving = False
        self._cause: MediaConduitError | None = None
        self._started = time.monotonic()
        self._active = self._started
        self._leads = False
        """The first output was begun and has not left."""
        self._taken = 0
        """How often the handler has taken what there was."""
        self._cancel: Callable[[], None] | None = None

    # -- for the handler ----------------------------------------------------------------------------------------------

    def owned_by(self, cancel: Callable[[], None]) -> None:
        """How the task of `main` is cancelled."""
        self._cancel = cancel

    async def take(self) -> TransformResponse | None:
        """What the call made since the last time, in one message; None at the end. Raises how the call failed."""
        items = await self._mailbox.take()
        self._taken += 1
        return self._packer.pack(items) if items else None

    def leave(self, cause: MediaConduitError | None = None) -> None:
        """Cancels the author's code; `cause` is what the call then failed with. Only the first time counts."""
        if self._leaving:
            return
        self._leaving = self.call.left = True
        self._cause = cause or self._why_left()
        self.call.fail_inputs(self._cause)
        if self._cancel is not None:
            self._cancel()

    def _why_left(self) -> MediaConduitError:
        remaining = self.call.remaining()
        if remaining is not None and remaining < _DEADLINE_SLACK:
            return CallTimeoutError("the caller's deadline passed before the work was done")
        return CallCancelledError("the caller left")

    # -- the task -----------------------------------------------------------------------------------------------------

    async def main(self) -> None:
        """Runs the author's code to its end, whatever that is, and says how it ended."""
        try:
            await self._work()
        except asyncio.CancelledError as error:
            self.error = self._cause or self._why_cancelled(error)
        except MediaConduitError as error:
            self.error = self._cause or error
        except BaseExceptionGroup as group:
            self.error = self._cause or _single(group) or self._unexpected(group)
        except (Exception, SystemExit, GeneratorExit) as error:
            self.error = self._cause or self._unexpected(error)
        self._fill_provenance()
        self._read_meter()
        if self.error is None:
            self.encoder.completed(self.provenance)
        else:
            self.error = self._clean(self.error)
        self._mailbox.close(self.error)

    async def _work(self) -> None:
        """All but the last event. What the call held is free again before its caller hears of the end."""
        self._start_timers()
        try:
            self.encoder.on_first_output = self._first_output
            self.encoder.started(self.call.generation, self.call.entry.name)
            for notice in self.call.notices:
                self.encoder.notice(notice)
            await self.call.gather_text()
            await self._produce()
            self.encoder.close_outputs()
        finally:
            self._stop_timers()
            await self.call.release()
        if self._cause is not None:
            raise self._cause

    def _read_meter(self) -> None:
        """What was consumed, where the author did not come to say so."""
        if self.encoder.usage is not None:
            return
        try:
            self.encoder.usage = self.call.consumed()
        except Exception:
            _log.exception("[%s] the call's meter failed", self.call.generation)

    def _why_cancelled(self, error: asyncio.CancelledError) -> MediaConduitError:
        """For a cancellation that did not come from the handler: the process ends, or the author's own code did it."""
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            return self._unexpected(error)
        return UnavailableError("the provider stopped before the work was done", reason=Reason.PROVIDER_DRAINING)

    def _unexpected(self, error: BaseException) -> InternalError:
        internal = InternalError.unexpected()
        _log.error("[%s] error id %s", self.call.generation, internal.metadata["error_id"], exc_info=error)
        return internal

    # -- the author's code --------------------------------------------------------------------------------------------

    async def _produce(self) -> None:
        function = self._function
        if inspect.isasyncgenfunction(function):
            await self._drive(function(self.call))
        elif inspect.iscoroutinefunction(function):
            await self._drive_any(function(self.call))
        else:
            await self._drive_thread(function)

    async def _drive(self, source: AsyncIterator[Any]) -> None:
        """An async iterator, to its end, in this task."""
        emit, clock = self._emit_fast, time.monotonic
        turn, taken = 0.0, 0
        try:
            async for item in source:
                if self._leaving:
                    break
                if emit(item):
                    await self._slow(item)
                now = self._active = clock()
                if self._leads:
                    self._leads = False
                    await self._mailbox.taken()  # the first output leaves before an author who then blocks
                elif now - turn > _TURN:
                    if taken == self._taken:  # else the loop has turned: an author who pauses need not pause twice
                        await asyncio.sleep(0)
                    taken, turn = self._taken, clock()
        except asyncio.CancelledError as cancelled:
            await _cancel_generator(source, cancelled)
            raise
        except BaseException:
            await _close(source)
            raise
        if self._leaving:
            await _close(source)

    async def _drive_any(self, made: Any) -> None:
        """What a function that is no generator gave: an async iterator, or something to await."""
        if hasattr(made, "__aiter__"):
            await self._drive(made)
            return
        result = await made
        if hasattr(result, "__aiter__"):
            await self._drive(result)
        elif result is not None:
            await self._emit(result)

    async def _drive_thread(self, function: Callable[[Any], Any]) -> None:
        """A plain generator, in a thread. A function that only returns something async goes on here."""
        others: list[Any] = []
        source = ThreadSource(lambda: _items(function(self.call), others), name=self.call.generation)
        try:
            while batch := await source.take():
                for item in batch:
                    if self._leaving:
                        return
                    await self._emit(item)
                self._active = time.monotonic()
                await asyncio.sleep(0)
        finally:
            await source.aclose()
        for other in others:
            await self._drive_any(other)

    async def _emit(self, item: Any) -> None:
        if self._emit_fast(item):
            await self._slow(item)

    def _emit_fast(self, item: Any) -> bool:
        """Takes a plain piece of text or data when there is room for it; True when `_slow` must go on."""
        kind = type(item)
        if kind is str and len(item) <= CHUNK_BYTES:
            return bool(item) and self.encoder.text(item)
        if kind is bytes and len(item) <= CHUNK_BYTES:
            return bool(item) and self.encoder.data(item)
        return True

    async def _slow(self, item: Any) -> None:
        kind = type(item)
        if (kind is not str and kind is not bytes) or len(item) > CHUNK_BYTES:
            await self.encoder.other(item)
        await self._mailbox.room()

    # -- time ---------------------------------------------------------------------------------------------------------

    def _start_timers(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(self._heartbeat, self._sign_of_life)
        remaining = self.call.remaining()
        self._alarm = None if remaining is None else loop.call_later(remaining, self.leave)

    def _stop_timers(self) -> None:
        self._beat.cancel()
        if self._alarm is not None:
            self._alarm.cancel()

    def _sign_of_life(self) -> None:
        now = time.monotonic()
        silent = now - self._active
        if silent >= self._heartbeat:
            self.encoder.progress(Progress(stage="running"))
            self._active, silent = now, 0.0
        self._beat = asyncio.get_running_loop().call_later(self._heartbeat - silent, self._sign_of_life)

    def _first_output(self) -> None:
        self._leads = True
        self.provenance.first_output_duration.FromNanoseconds(int((time.monotonic() - self._started) * 1e9))

    def _fill_provenance(self) -> None:
        facts = self.provenance
        elapsed = time.monotonic() - self._started
        facts.MergeFrom(self.encoder.facts)
        facts.source = self.facts.source
        facts.total_duration.FromNanoseconds(int(elapsed * 1e9))
        start = Timestamp()
        start.FromNanoseconds(time.time_ns() - int(elapsed * 1e9))
        facts.start_time.CopyFrom(start)
        facts.queue_duration.FromMilliseconds(self.facts.queue_ms)
        facts.model_display_name = self.call.model.display_name or self.call.model.id
        facts.capability = self.call.capability
        name = self.call.entry.name
        facts.provider = name[: name.index("/models/")]


def _items(result: Any, others: list[Any]) -> Any:
    """What a plain `transform` returned, as something to iterate in its thread."""
    if hasattr(result, "__aiter__") or inspect.isawaitable(result):
        others.append(result)
        return ()
    if result is None:
        return ()
    return (result,) if isinstance(result, str | bytes) else result


async def _cancel_generator(source: AsyncIterator[Any], cancelled: asyncio.CancelledError) -> None:
    """Cancels a generator that stands at a yield the way one that awaits is cancelled; nothing else if it has ended."""
    athrow = getattr(source, "athrow", None)
    if athrow is not None:
        try:
            await athrow(cancelled)
        except (asyncio.CancelledError, StopAsyncIteration):
            return
        except Exception:
            _log.exception("clean-up after a cancelled call failed")
            return
    await _close(source)


async def _close(source: AsyncIterator[Any]) -> None:
    """Closes a generator; what its clean-up raises goes to the logs, for the call has ended another way."""
    aclose = getattr(source, "aclose", None)
    if aclose is None:
        return
    try:
        await aclose()
    except (Exception, BaseExceptionGroup):
        _log.exception("clean-up after a call failed")


def _single(group: BaseExceptionGroup[BaseException]) -> MediaConduitError | None:
    """The first typed error of a task group that holds nothing else."""
    typed, rest = group.split(MediaConduitError)
    if typed is None or (rest is not None and rest.split(asyncio.CancelledError)[1] is not None):
        return None
    error: BaseException = typed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, MediaConduitError) else None
