"""Parts of the input as authors read them: whole, or still arriving."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mediaconduit.errors import InvalidRequestError
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1.media_pb2 import Part

from mediaconduit_provider.call import Input
from mediaconduit_provider.media_types import is_text

NewFile = Callable[[], Path]
"""Gives the path of a new file in the call's folder."""


class WholeInput(Input):
    """A part whose content came with the request."""

    def __init__(self, part: Part, field: str, new_file: NewFile) -> None:
        self.name = part.name
        self.field = field
        self._part = part
        self._new_file = new_file
        self._path: Path | None = None
        self.media_type = media_type_of(part)

    @property
    def uri(self) -> str:
        """A vendor's or caller's URL."""
        return self._part.asset.uri if self._part.HasField("asset") else ""

    @property
    def text(self) -> str:
        """Its text."""
        return text_of(self._part)

    @property
    def size(self) -> int | None:
        """Bytes in all."""
        if self._part.HasField("asset"):
            return self._part.asset.size_bytes if self._part.asset.HasField("size_bytes") else None
        return len(self._content())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes as they come."""
        content = self._content()
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]

    async def read(self) -> bytes:
        """All of it, in memory."""
        return self._content()

    async def path(self) -> Path:
        """All of it as a file."""
        if self._path is None:
            path = self._new_file()
            await asyncio.to_thread(path.write_bytes, self._content())
            self._path = path
        return self._path

    def open(self) -> BinaryIO:
        """A file of all of it."""
        return BytesIO(self._content())

    def _content(self) -> bytes:
        if self._part.HasField("asset"):
            raise InvalidRequestError.at(self.field, "is a reference; this model wants the content itself")
        return self._part.data if self._part.HasField("data") else self._part.text.encode()


class ArrivingInput(Input):
    """A part whose content comes in chunks.

    What has come and was not read yet lies in memory, up to `high_water`; then whoever feeds it waits, or, when waiting
    would block something else, goes on in a file.
    """

    high_water = 1024 * 1024

    def __init__(self, part: Part, field: str, new_file: NewFile, waiting: Callable[[int], None]) -> None:
        self.name = part.name
        self.field = field
        self.media_type = media_type_of(part)
        self._loop = asyncio.get_running_loop()
        self._new_file = new_file
        self._waiting = waiting
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._received = 0
        self._done = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()
        self._read_once = False
        self._file: Path | None = None
        self._sink: BinaryIO | None = None
        self._spooling = False
        self._room = asyncio.Event()

    # -- what authors read --------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """A vendor's or caller's URL."""
        return ""

    @property
    def text(self) -> str:
        """Its text."""
        return ""

    @property
    def size(self) -> int | None:
        """Bytes in all."""
        return self._received if self._done else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes as they come."""
        if self._file is not None and self._complete:
            async for chunk in self._from_file():
                yield chunk
            return
        if self._read_once:
            raise RuntimeError("an input that arrives in pieces can be read once; use path() to read it again")
        self._read_once = True
        async for chunk in self._arriving():
            yield chunk

    async def read(self) -> bytes:
        """All of it, in memory."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def path(self) -> Path:
        """All of it as a file."""
        if self._read_once:
            raise RuntimeError("an input that arrives in pieces can be read once; use path() instead of chunks()")
        await self.spool()
        await self._wait_until(lambda: self._complete)
        assert self._file is not None
        return self._file

    def open(self) -> BinaryIO:
        """A file of all of it."""
        if self._file is None or not self._complete:
            if asyncio._get_running_loop() is not None:
                raise RuntimeError("open() is for plain transforms; await path() or iterate chunks() instead")
            asyncio.run_coroutine_threadsafe(self.path(), self._loop).result()
        assert self._file is not None
        return self._file.open("rb")

    # -- what feeds it ------------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether all has come."""
        return self._done

    @property
    def received(self) -> int:
        """Bytes that came."""
        return self._received

    @property
    def full(self) -> bool:
        """Whether its feeder should wait for room."""
        return self._sink is None and self._buffered >= self.high_water

    async def feed(self, data: bytes, *, flush: bool = False) -> None:
        """More of it."""
        self._received += len(data)
        if self._sink is not None:
            if data:
                await asyncio.to_thread(self._sink.write, data)
        else:
            if data:
                self._chunks.append(data)
                self._buffered += len(data)
            if flush:
                self._chunks.append(b"")
        self._changed.set()

    async def room(self) -> None:
        """Returns when it may be fed, or the author waits for something else."""
        self._room.clear()
        await self._room.wait()

    def nudge(self) -> None:
        """Lets the feeder look again."""
        self._room.set()

    def end(self) -> None:
        """No more comes."""
        self._done = True
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        self._changed.set()

    def fail(self, error: BaseException) -> None:
        """The rest will not come: whoever waits for it gets the error."""
        if not self._done:
            self._error = self._error or error
            self._changed.set()
            self._room.set()

    def dispose(self) -> None:
        """Closes what is open; nobody reads any more."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    async def spool(self) -> None:
        """What is there and what comes goes to a file from now on."""
        if self._file is not None:
            return
        self._file = self._new_file()
        self._spooling = True
        sink = await asyncio.to_thread(self._file.open, "wb")
        # What comes meanwhile still goes to memory: it belongs after what is being written, and the end after both.
        while self._chunks:
            chunks, self._chunks, self._buffered = self._chunks, [], 0
            await asyncio.to_thread(sink.writelines, chunks)
        self._sink, self._spooling = sink, False
        if self._done:
            self.end()
        self._changed.set()
        self.nudge()

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _complete(self) -> bool:
        """Whether all has come and, where there is a file, lies in it."""
        return self._done and not self._spooling

    async def _arriving(self) -> AsyncIterator[bytes]:
        while True:
            if self._file is not None:
                async for chunk in self._from_file():
                    yield chunk
                return
            if self._chunks:
                chunks, self._chunks, self._buffered = self._chunks, [], 0
                self._room.set()
                for chunk in chunks:
                    yield chunk
            elif self._done:
                return
            else:
                await self._wait_until(lambda: bool(self._chunks) or self._done or self._file is not None)

    async def _from_file(self) -> AsyncIterator[bytes]:
        """The file from its start, as far as it is written, until its end."""
        assert self._file is not None
        with await asyncio.to_thread(self._file.open, "rb") as source:
            while True:
                ended = self._complete
                if self._sink is not None:
                    with contextlib.suppress(ValueError):  # closed meanwhile, and so written
                        await asyncio.to_thread(self._sink.flush)
                chunk = await asyncio.to_thread(source.read, CHUNK_BYTES)
                if chunk:
                    yield chunk
                elif ended:
                    return
                else:
                    await self._change()

    async def _wait_until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            await self._change()

    async def _change(self) -> None:
        if self._error is not None:
            raise self._error
        self._changed.clear()
        await self._wait(self._changed.wait())

    async def _wait(self, event: Awaitable[object]) -> None:
        self._waiting(1)
        try:
            await event
        finally:
            self._waiting(-1)


def media_type_of(part: Part) -> str:
    """What a part says it is."""
    if part.media_type:
        return part.media_type
    if part.HasField("asset"):
        return part.asset.media_type
    return "text/plain" if part.HasField("text") else "application/octet-stream"


def text_of(part: Part) -> str:
    """The text a part holds, also one that was sent as bytes of a text; empty when it holds none."""
    if part.HasField("data") and is_text(part.media_type):
        return part.data.decode("utf-8", "replace")
    return part.text
