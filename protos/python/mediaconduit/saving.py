"""Outputs as files: written beside their place while they arrive, renamed when the call has succeeded."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import uuid
from io import FileIO
from pathlib import Path
from typing import Final

from mediaconduit.content import suffix_of
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.uploads import in_thread
from mediaconduit.v1.events_pb2 import OutputStarted


class Sink:
    """A file that is not there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        self._file: FileIO | None = None
        self._buffer = bytearray()

    async def write(self, data: bytes) -> None:
        """Adds bytes; they reach the disk in blocks."""
        self._buffer += data
        if len(self._buffer) >= CHUNK_BYTES:
            await in_thread(self._flush)

    async def commit(self) -> None:
        """Puts the file into its place."""
        await in_thread(self._finish)

    def abort(self) -> None:
        """Removes what was written. Harmless after `commit`."""
        self._buffer.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    def __del__(self) -> None:
        self.abort()

    def _flush(self) -> None:
        if self._file is None:
            self._file = FileIO(self._part, "x+")
        view = memoryview(self._buffer)
        while view:
            view = view[self._file.write(view) :]
        view.release()
        self._buffer.clear()

    def _finish(self) -> None:
        self._flush()
        assert self._file is not None
        fix_wav(self._file)
        self._file.close()
        os.replace(self._part, self.path)
        self._file = None


class Saver:
    """Decides where outputs go: into a folder, or to a file and, when there are more, to numbered ones beside it."""

    def __init__(self, to: Path) -> None:
        self.to = to
        self.folder = to.is_dir()
        self._sinks: list[Sink] = []

    def sink(self, started: OutputStarted) -> Sink:
        """A file for an output."""
        sink = Sink(self.path(started, len(self._sinks)))
        self._sinks.append(sink)
        return sink

    def path(self, started: OutputStarted, before: int) -> Path:
        """Where an output goes when `before` others are saved already."""
        if self.folder:
            name = re.sub(r"[^\w.-]+", "-", started.name).strip(".-") or "output"
            return self.to / f"{name}-{started.index}{suffix_of(started.media_type)}"
        return self.to.with_stem(f"{self.to.stem}-{before + 1}") if before else self.to

    async def commit(self) -> bool:
        """Puts all files into their places; False when there are none."""
        for sink in self._sinks:
            await sink.commit()
        return bool(self._sinks)

    def abort(self) -> None:
        """Removes what is not in its place."""
        for sink in self._sinks:
            sink.abort()
        self._sinks.clear()


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that is either whole or not there; a WAV gets its true length."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with FileIO(part, "x+") as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            fix_wav(file)
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


_HEADER_LIMIT: Final = 64 * 1024
_CHUNK: Final = struct.Struct("<4sI")


def fix_wav(file: FileIO) -> None:
    """Corrects the lengths in the header of a WAV that was written before its length was known.

    Anything else, and a header that is right, stays as it is; so does a file beyond 4 GiB, which the format cannot
    tell.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(min(size, _HEADER_LIMIT))
    if header[:4] != b"RIFF" or header[8:12] != b"WAVE" or size > 0xFFFFFFFF:
        return
    at = 12
    while at + _CHUNK.size <= len(header):
        name, length = _CHUNK.unpack_from(header, at)
        start = at + _CHUNK.size
        if name == b"data":
            if length == 0 or start + length > size:
                _write_length(file, at + 4, size - start)
            if struct.unpack_from("<I", header, 4)[0] != size - 8:
                _write_length(file, 4, size - 8)
            return
        at = start + length + (length & 1)


def _write_length(file: FileIO, at: int, length: int) -> None:
    file.seek(at)
    file.write(struct.pack("<I", length))
