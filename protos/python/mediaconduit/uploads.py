"""Inputs too large for one message: which parts travel in chunks, and where the chunks come from."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final, ParamSpec, TypeAlias, TypeVar, cast

from mediaconduit import tasks
from mediaconduit.content import Draft, Piece, Source, is_text
from mediaconduit.errors import InvalidRequestError
from mediaconduit.streams import CHUNK_BYTES, WHOLE_INPUT_BYTES
from mediaconduit.v1.media_pb2 import Part, Turn

P = ParamSpec("P")
T = TypeVar("T")

_UNKNOWN: Final = 1 << 62
"""Size of what tells no size: pipes, chunks still to come."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A part that follows in chunks."""

    stream: int
    """`Part.stream`."""
    source: Source | bytes
    text: bool
    """Chunks end between characters."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Turns as they go into the first message, and what follows it."""

    turns: list[Turn]
    uploads: list[Upload]


async def plan(drafts: Sequence[Draft], *, first_stream: int = 1) -> Plan:
    """Decides what travels whole. Reads small files; larger ones, and as many other parts as it takes to stay under
    `WHOLE_INPUT_BYTES`, become uploads."""
    pieces = [piece for draft in drafts for piece in draft.pieces]
    sizes = [await _size(piece) for piece in pieces]
    streamed = _choose(pieces, sizes)
    result, place = Plan([], []), 0
    for draft in drafts:
        turn = Turn(role=draft.role, name=draft.name)
        for piece in draft.pieces:
            if place in streamed:
                upload = _upload(piece, first_stream + len(result.uploads))
                result.uploads.append(upload)
                turn.parts.append(_announced(piece.part, upload))
            else:
                turn.parts.append(await _whole(piece))
            place += 1
        result.turns.append(turn)
    return result


def _choose(pieces: Sequence[Piece], sizes: Sequence[int]) -> set[int]:
    """Places of the pieces that travel in chunks, the largest first until the rest is small enough."""
    left = sum(sizes)
    chosen: set[int] = set()
    for place in sorted(range(len(pieces)), key=lambda at: -sizes[at]):
        if left <= WHOLE_INPUT_BYTES:
            break
        if _divisible(pieces[place]):
            chosen.add(place)
            left -= sizes[place]
    return chosen


def _divisible(piece: Piece) -> bool:
    return piece.source is not None or piece.part.WhichOneof("content") in ("text", "data")


async def _size(piece: Piece) -> int:
    if piece.source is None:
        return piece.part.ByteSize()
    if not isinstance(piece.source, Path):
        return _UNKNOWN
    status = await in_thread(os.stat, piece.source)
    if stat.S_ISDIR(status.st_mode):
        raise InvalidRequestError(f"{piece.source} is a folder", hint="name a file in it")
    return status.st_size if stat.S_ISREG(status.st_mode) else _UNKNOWN


async def _whole(piece: Piece) -> Part:
    if piece.source is None:
        return piece.part
    data = await in_thread(Path.read_bytes, cast(Path, piece.source))
    part = _copy(piece.part)
    if is_text(part.media_type):
        try:
            part.text = data.decode()
            return part
        except UnicodeDecodeError:
            pass  # in another encoding: its bytes say more than a guess
    part.data = data
    return part


def _upload(piece: Piece, stream: int) -> Upload:
    text = piece.part.WhichOneof("content") == "text"
    source = piece.source or (piece.part.text.encode() if text else piece.part.data)
    return Upload(stream, source, text or is_text(piece.part.media_type))


def _announced(part: Part, upload: Upload) -> Part:
    announced = _copy(part)
    announced.stream = upload.stream
    announced.media_type = part.media_type or "text/plain"
    return announced


def _copy(part: Part) -> Part:
    copy = Part()
    copy.CopyFrom(part)
    return copy


async def chunks(upload: Upload) -> AsyncGenerator[bytes, None]:
    """The upload's bytes as they come, at most `CHUNK_BYTES` at a time; text is cut between characters."""
    rest = b""
    async with aclosing(_blocks(upload.source)) as blocks:
        async for block in blocks:
            pieces, rest = split(rest + block if rest else block, text=upload.text)
            for piece in pieces:
                yield piece
    if rest:
        yield rest


def split(data: bytes, *, text: bool) -> tuple[list[bytes], bytes]:
    """Chunks of the data, and the beginning of a character whose end has not come."""
    pieces, start = [], 0
    while start < len(data):
        end = min(start + CHUNK_BYTES, len(data))
        if text:
            end = _boundary(data, end)
        if end == start:
            break
        pieces.append(data[start:end])
        start = end
    return pieces, data[start:]


def _boundary(data: bytes, end: int) -> int:
    """`end`, or where the UTF-8 character begins that `end` would cut."""
    for place in range(end - 1, max(end - 5, -1), -1):
        byte = data[place]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return place if place + length > end else end
    return end


async def _blocks(source: Source | bytes) -> AsyncGenerator[bytes, None]:
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, Path):
        async with _opened(source) as read:
            while block := await read(CHUNK_BYTES):
                yield block
    else:
        async for block in source:
            yield block


Read: TypeAlias = Callable[[int], Awaitable[bytes]]


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Read]:
    """How to read a file: regular ones in a thread; pipes and terminals by the event loop, as a thread that waits for
    one could not be ended."""
    file = await in_thread(_open, path)
    try:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield partial(in_thread, file.read)
            return
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        except (OSError, ValueError):  # neither: a device such as /dev/zero, which never makes anyone wait
            yield partial(in_thread, file.read)
            return
        try:
            yield reader.read
        finally:
            transport.close()
    finally:
        file.close()


def _open(path: Path) -> FileIO:
    # Without O_NONBLOCK, opening a named pipe would wait for its writer.
    return FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking file work in a thread and returns when it is over, also when cancelled meanwhile.

    Raises `InvalidRequestError` in place of OSError: the file is the caller's.
    """
    task = tasks.start(asyncio.to_thread(function, *args, **kwargs), name="mediaconduit file")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await tasks.join(task)
        raise
    except OSError as error:
        raise InvalidRequestError(f"{error.filename or 'file'}: {error.strerror or error}") from error
