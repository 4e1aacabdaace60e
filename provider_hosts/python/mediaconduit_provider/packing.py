"""Turns what piled up in a mailbox into one message: joins neighbours, numbers events."""

from __future__ import annotations

from typing import Final, TypeAlias

from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse


class Target:
    """The plain text and data that follow belong to this output."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


Item: TypeAlias = str | bytes | Target | TransformEvent
"""What lies in a call's mailbox. Text and data are left as they are until they are written, so that joining them costs
one ``join``."""

_REPLACEMENT: Final = "\ufffd"


class Packer:
    """Packs the items of one call. Keeps the sequence, and halves of characters whose other half is still to come."""

    __slots__ = ("_held", "_index", "_sequence")

    def __init__(self) -> None:
        self._sequence = 0
        self._index = 0
        self._held: dict[int, str] = {}

    def pack(self, items: list[Item]) -> TransformResponse:
        """One message with all items in order."""
        response = TransformResponse()
        texts: list[str] = []
        data: list[bytes] = []
        for item in items:
            kind = type(item)
            if kind is str:
                if data:
                    self._add_data(response, data)
                texts.append(item)  # type: ignore[arg-type]
                continue
            if texts:
                self._add_text(response, texts)
            if kind is bytes:
                data.append(item)  # type: ignore[arg-type]
                continue
            if data:
                self._add_data(response, data)
            if kind is Target:
                self._index = item.index  # type: ignore[assignment, union-attr]
            else:
                self._add_event(response, item)  # type: ignore[arg-type]
        if texts:
            self._add_text(response, texts)
        if data:
            self._add_data(response, data)
        return response

    def _add_text(self, response: TransformResponse, texts: list[str]) -> None:
        text = texts[0] if len(texts) == 1 else "".join(texts)
        texts.clear()
        index = self._index
        if self._held:
            text = self._held.pop(index, "") + text
        event = response.events.add()
        delta = event.output_delta
        delta.index = index
        try:
            delta.text = text
        except UnicodeEncodeError:
            text, half = split_surrogates(text)
            if half:
                self._held[index] = half
            if not text:
                del response.events[-1]
                return
            delta.text = text
        self._sequence += 1
        event.sequence = self._sequence

    def _add_data(self, response: TransformResponse, data: list[bytes]) -> None:
        pieces = [data[0]] if len(data) == 1 else _join(data)
        data.clear()
        for piece in pieces:
            event = response.events.add()
            self._sequence += 1
            event.sequence = self._sequence
            delta = event.output_delta
            delta.index = self._index
            delta.data = piece

    def _add_event(self, response: TransformResponse, event: TransformEvent) -> None:
        if self._held and event.WhichOneof("event") == "output_completed":
            index = event.output_completed.index
            if self._held.pop(index, ""):
                self._index = index
                self._add_text(response, [_REPLACEMENT])
        self._sequence += 1
        event.sequence = self._sequence
        response.events.append(event)


def split_surrogates(text: str) -> tuple[str, str]:
    """Text that protobuf takes, and a first half of a character at its end whose other half may still come.

    Pairs that came as two halves are put together; any other half becomes U+FFFD.
    """
    half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
    whole = text[: len(text) - len(half)].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole, half


def well_formed(text: str) -> str:
    """Text that protobuf takes; halves of characters become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        whole, half = split_surrogates(text)
        return whole + (_REPLACEMENT if half else "")
    return text


def _join(data: list[bytes]) -> list[bytes]:
    """Neighbours together, none larger than a chunk."""
    pieces: list[bytes] = []
    start, size = 0, 0
    for position, piece in enumerate(data):
        if size and size + len(piece) > CHUNK_BYTES:
            pieces.append(b"".join(data[start:position]))
            start, size = position, 0
        size += len(piece)
    pieces.append(b"".join(data[start:]))
    return pieces
