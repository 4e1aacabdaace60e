"""What the relay learns of a call in passing, without decoding what it need not."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from mediaconduit.v1.events_pb2 import Completed, TransformResponse


class CallFacts:
    """Counts frames and keeps the last, which is decoded once the call has ended."""

    __slots__ = ("_last", "frames")

    def __init__(self) -> None:
        self.frames = 0
        self._last = b""

    def see(self, frame: bytes) -> None:
        """A frame that is about to be forwarded."""
        self.frames += 1
        self._last = frame

    def completed(self) -> Completed | None:
        """How the last frame ends the call with success; None when it does not, or is no message of the contract."""
        try:
            events = TransformResponse.FromString(self._last).events
        except DecodeError:
            return None
        return events[-1].completed if events and events[-1].WhichOneof("event") == "completed" else None
