"""Live sessions: input goes in while output comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from mediaconduit import edge, tasks
from mediaconduit.calls import Opened, Stream
from mediaconduit.content import Content, drafts
from mediaconduit.events import Event
from mediaconduit.options import OPTION_NAMES, Seconds, TransformOptions, check_names, duration, transform_options
from mediaconduit.uploads import Upload, chunks, plan, split
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.transform_pb2 import InputChunk, Interrupt, Respond, TransformLiveRequest

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mediaconduit.calls import LiveCall
    from mediaconduit.client import Wire
    from mediaconduit.requests import Prepared


class LiveSession(AsyncIterator[Event]):
    """A call that takes turns while it answers. Made by `Model.live`; enter it with ``async with``.

    Iterate to get events. Leaving that loop does not end the session, nor does a wait for an event that is cancelled
    (by a timeout, say): iterate again to go on. Leaving ``async with`` before the last event cancels the call. Sending
    waits while the server does not keep up, and may be done by other tasks than reading.
    """

    def __init__(self, wire: Wire, prepared: Prepared) -> None:
        self._wire = wire
        self._prepared = prepared
        self._call: LiveCall | None = None
        self._stream = Stream(self._opened)
        self._reading: asyncio.Task[Event | None] | None = None
        self._writing = asyncio.Lock()
        self._streams = 0
        self._open_stream: tuple[int, str] | None = None

    async def send(self, content: Content | bytes, *, media_type: str | None = None) -> None:
        """Adds to the conversation; does not ask for an answer.

        Args:
            content: Text, files, `Media`, parts, turns, tool results; or bare bytes: the next ones of an endless input
                (a microphone), which go on with the bytes before.
            media_type: Of bare bytes, with the first of them at least ("audio/L16; rate=16000; channels=1").
        """
        if isinstance(content, bytes | bytearray | memoryview):
            stream = await self._endless(media_type)
            pieces, _ = split(bytes(content), text=False)
            for data in pieces:
                await self._write(TransformLiveRequest(chunk=InputChunk(stream=stream, data=data)))
            return
        planned = await plan(drafts(content), first_stream=self._streams + 1)
        self._streams += len(planned.uploads)
        for turn in planned.turns:
            await self._write(TransformLiveRequest(turn=turn))
        await self._upload(planned.uploads)

    async def respond(self) -> None:
        """Asks for the answer now; ends the caller's turn where the caller decides that."""
        if self._open_stream is not None:
            await self._write(TransformLiveRequest(chunk=InputChunk(stream=self._open_stream[0], flush=True)))
        await self._write(TransformLiveRequest(respond=Respond()))

    async def interrupt(self, index: int | None = None, played: Seconds | None = None) -> None:
        """Stops what is being said; the session goes on.

        Args:
            index: Output that was playing.
            played: How much of it was heard; the rest is struck from the conversation.
        """
        interrupt = Interrupt(index=index, played=None if played is None else duration(played))
        await self._write(TransformLiveRequest(interrupt=interrupt))

    async def update(self, **options: Unpack[TransformOptions]) -> None:
        """Options from here on, replacing those before."""
        check_names(options, OPTION_NAMES, what="option")
        await self._write(TransformLiveRequest(options=transform_options(options)))

    async def finish(self) -> None:
        """Ends the input. Events go on until the last answer is over."""
        await self._end_stream()
        async with self._writing:
            await self._entered().done_writing()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._entered()
        if self._reading is None:
            self._reading = tasks.start(self._next(), name="mediaconduit live")
        # Cancelling a read cancels the call: a wait that is given up must not reach it.
        event = await asyncio.shield(self._reading)
        self._reading = None
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """Ends the session and returns when nothing of it is left."""
        if self._call is not None:
            self._call.cancel()
        self._stream.cancel()
        if self._reading is not None:
            await tasks.cancel_and_join(self._reading)

    async def __aenter__(self) -> Self:
        if self._call is not None:
            raise RuntimeError("a session can be entered once")
        request, uploads = await self._prepared.packed()
        metadata = self._wire.metadata(self._prepared.request.model)
        self._call = self._wire.provider.TransformLive(timeout=self._prepared.timeout, metadata=metadata)
        self._streams = len(uploads)
        try:
            await self._write(TransformLiveRequest(start=request))
            await self._upload(uploads)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _opened(self) -> Opened:
        return Opened(self._entered())

    def _entered(self) -> LiveCall:
        if self._call is None:
            raise RuntimeError("enter the session first: async with model.live() as session")
        return self._call

    async def _next(self) -> Event | None:
        return await anext(self._stream, None)

    async def _write(self, piece: TransformLiveRequest) -> None:
        async with self._writing:
            await edge.send(self._entered(), piece)

    async def _upload(self, uploads: list[Upload]) -> None:
        """Sends chunks one at a time, so that an interruption gets in between."""
        for upload in uploads:
            async for data in chunks(upload):
                await self._write(TransformLiveRequest(chunk=InputChunk(stream=upload.stream, data=data)))
            await self._write(TransformLiveRequest(chunk=InputChunk(stream=upload.stream, last=True)))

    async def _endless(self, media_type: str | None) -> int:
        """Number of the stream that bare bytes go to, announced when it is new."""
        if self._open_stream is not None and media_type in (None, self._open_stream[1]):
            return self._open_stream[0]
        if media_type is None:
            raise TypeError('the first bytes need a media type: send(data, media_type="audio/L16; rate=16000")')
        await self._end_stream()
        self._streams += 1
        self._open_stream = (self._streams, media_type)
        part = Part(stream=self._streams, media_type=media_type)
        await self._write(TransformLiveRequest(turn=Turn(role=Role.ROLE_USER, parts=[part])))
        return self._streams

    async def _end_stream(self) -> None:
        if self._open_stream is not None:
            stream, self._open_stream = self._open_stream[0], None
            await self._write(TransformLiveRequest(chunk=InputChunk(stream=stream, last=True)))
