"""Calls under way: `Stream`, and what sends input while output comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import grpc

from mediaconduit import tasks
from mediaconduit.channels import write
from mediaconduit.edge import Loop, Readable, Responses, run_on
from mediaconduit.errors import CallCancelledError, InternalError
from mediaconduit.events import Completed, Event
from mediaconduit.gathering import Gatherer
from mediaconduit.reading import EventReader
from mediaconduit.results import Result
from mediaconduit.uploads import Upload, chunks
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse
from mediaconduit.v1.transform_pb2 import InputChunk, TransformLiveRequest

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from grpc.aio import StreamStreamCall

    LiveCall: TypeAlias = StreamStreamCall[TransformLiveRequest, TransformResponse]


@dataclass(frozen=True, slots=True)
class Uploading:
    """The task that sends a call's large inputs. Ends with the call; never ends it but for an input that fails."""

    task: asyncio.Task[BaseException | None]

    @classmethod
    def start(cls, call: LiveCall, first: TransformLiveRequest, uploads: Sequence[Upload]) -> Uploading:
        """Begins to send."""
        return cls(tasks.start(_send(call, first, uploads), name="mediaconduit upload"))

    def error(self) -> BaseException | None:
        """What was wrong with the input."""
        return self.task.result() if self.task.done() and not self.task.cancelled() else None


async def _send(call: LiveCall, first: TransformLiveRequest, uploads: Sequence[Upload]) -> BaseException | None:
    try:
        # Where the server has ended the call already, its answer is the news and not that sending failed.
        if await write(call, first.SerializeToString()):
            for upload in uploads:
                if not await _send_chunks(call, upload):
                    return None
            with contextlib.suppress(grpc.aio.InternalError):
                await call.done_writing()
    except Exception as error:  # the source's own: whoever reads the call raises it
        call.cancel()
        return error
    return None


async def _send_chunks(call: LiveCall, upload: Upload) -> bool:
    """Sends all of one announced part; False when the call has ended."""
    async with contextlib.aclosing(chunks(upload)) as pieces:
        async for data in pieces:
            piece = TransformLiveRequest(chunk=InputChunk(stream=upload.stream, data=data))
            if not await write(call, piece.SerializeToString()):
                return False
    last = TransformLiveRequest(chunk=InputChunk(stream=upload.stream, last=True))
    return await write(call, last.SerializeToString())


@dataclass(slots=True)
class Opened:
    """A call that was made."""

    call: Readable[TransformResponse]
    uploading: Uploading | None = None


class Stream(AsyncIterator[Event]):
    """The events of a call, as they come.

    The call is made with the first event asked for. It is cancelled at once when the loop over it is left, by
    ``break``, an exception or cancellation of the task, when the object is dropped, and by `aclose`; ``async with``
    waits until nothing is left of it. Raises the errors of `mediaconduit.errors`.

    Args:
        open: Makes the call.
        gatherer: Gathers a `result` on the way.
        on_result: Told the result before the last event is given out.
    """

    def __init__(
        self,
        open: Callable[[], Awaitable[Opened]],
        gatherer: Gatherer | None = None,
        on_result: Callable[[Result], None] | None = None,
    ) -> None:
        self._open: Callable[[], Awaitable[Opened]] | None = open
        self._gatherer = gatherer
        self._on_result = on_result
        self._result: Result | None = None
        self._reader = EventReader()
        self._messages: Iterator[TransformEvent] = iter(())
        self._responses: Responses[TransformResponse] | None = None
        self._uploading: Uploading | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def result(self) -> Result:
        """What the call made, after its last event. For streams made with ``gather=True`` or ``to=``."""
        if self._result is None:
            raise RuntimeError("no result: the stream has not ended, or was made without gather=True")
        return self._result

    @property
    def running(self) -> bool:
        """Whether the call has begun and not ended."""
        return self._responses is not None and self._responses.running

    def __aiter__(self) -> AsyncIterator[Event]:
        return Loop(self)

    async def __anext__(self) -> Event:
        try:
            event = await self._next()
        except BaseException:
            await self.aclose()
            raise
        if event is None:
            await self.aclose()
            raise StopAsyncIteration
        return event

    async def _next(self) -> Event | None:
        while (message := next(self._messages, None)) is None:
            response = await self._read()
            if response is None:
                if self._reader.completed:
                    return None
                raise InternalError("the server ended the call without saying that it is complete")
            self._messages = iter(response.events)
        event = self._reader.read(message)
        if isinstance(event, Completed):
            while await self._read() is not None:  # success is `completed` and then OK
                pass
        if self._gatherer is not None and (result := await self._gatherer.take(message)) is not None:
            self._result = result
            if self._on_result is not None:
                self._on_result(result)
        return event

    async def _read(self) -> TransformResponse | None:
        if self._responses is None:
            if self._open is None:
                return None
            self.loop = asyncio.get_running_loop()
            open, self._open = self._open, None
            opened = await open()
            self._uploading = opened.uploading
            self._responses = Responses(opened.call)
        try:
            return await self._responses.read()
        except CallCancelledError:
            if self._uploading is not None and (error := self._uploading.error()) is not None:
                raise error from None
            raise

    def cancel(self) -> None:
        """Ends the call at once, from its loop. Harmless when it has ended."""
        self._open = None
        if self._responses is not None:
            self._responses.cancel()
        if self._uploading is not None:
            self._uploading.task.cancel()
        if self._gatherer is not None and self._result is None:
            self._gatherer.abort()

    async def aclose(self) -> None:
        """Ends the call and returns when nothing of it is left."""
        self.cancel()
        if self._uploading is not None:
            await tasks.join(self._uploading.task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self.loop is not None and self._uploading is not None and not self._uploading.task.done():
            run_on(self.loop, self._uploading.task.cancel)
