"""The last bytes of what a sidecar writes to one pipe, within bounds, in memory only.

Bytes, not lines: sidecars may print secrets, and only the broker, which knows them, can take them out before a line is
cut. What the keeper holds never touches a disk for the same reason.
"""

from __future__ import annotations

from collections import deque
from typing import Final

KEPT_BYTES: Final = 128 * 1024


class Tail:
    """What came last out of one pipe."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._chunks: deque[bytes] = deque()
        self._kept_bytes = kept_bytes
        self._start = 0
        self.end = 0
        """Bytes that have come, dropped ones included."""

    def append(self, chunk: bytes) -> None:
        """Adds a piece, in place of the oldest ones where there is no room."""
        self._chunks.append(chunk)
        self.end += len(chunk)
        while self.end - self._start > self._kept_bytes and len(self._chunks) > 1:
            self._start += len(self._chunks.popleft())

    def after(self, offset: int, most_bytes: int = 64 * 1024) -> tuple[bytes, int]:
        """About `most_bytes` of what came after the first `offset` bytes, and the offset after them.

        Where what came next has been dropped it goes on with a whole line: the rest of a torn one may begin within a
        secret, whose end nobody would know as one.
        """
        torn = offset < self._start
        at, found, size = self._start, [], 0
        for chunk in self._chunks:
            if at + len(chunk) > offset:
                piece = chunk[max(0, offset - at) :]
                if torn:
                    _, newline, piece = piece.partition(b"\n")
                    torn = not newline
                found.append(piece)
                size += len(piece)
            at += len(chunk)
            if size >= most_bytes:
                break
        return b"".join(found), max(at, offset)
