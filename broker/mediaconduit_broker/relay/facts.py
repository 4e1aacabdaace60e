"""What the relay learns of a call in passing, without decoding what it need not."""

from __future__ import annotations

from mediaconduit.v1.events_pb2 import TransformResponse


class CallFacts:
    """Watches frames: decodes them until the first output, and the last one afterwards."""

    __slots__ = ("_last", "frames", "model", "output_started")

    def __init__(self) -> None:
        self.frames = 0
        self.model = ""
        self.output_started = False
        self._last = b""

    def see(self, frame: bytes) -> None:
        """A frame that is about to be forwarded."""
        self.frames += 1
        self._last = frame
        if not self.output_started:
            self._look(frame)

    def _look(self, frame: bytes) -> None:
        for event in TransformResponse.FromString(frame).events:
            kind = event.WhichOneof("event")
            if kind == "started":
                self.model = event.started.model
            elif kind == "output_started":
                self.output_started = True
                return

    @property
    def completed(self) -> bool:
        """Whether the last frame ends the call with success."""
        events = TransformResponse.FromString(self._last).events
        return bool(events) and events[-1].WhichOneof("event") == "completed"
