"""What a vendor answers, written down: status, headers, pieces of the body, and what goes wrong between them.

::

    reply = sse({"delta": "Hel"}, {"delta": "lo"}, "[DONE]")
    reply.split(1)              # every byte in a piece of its own
    reply.stall(after=1)        # nothing more after the first event, until the peer leaves
    reply.truncate(after=1)     # the connection ends without the body's end
    failure(429, {"error": {"message": "slow down"}}, {"retry-after": "1"})
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more until the event; without one, until the peer leaves."""

    event: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more for some time, as a vendor's own timing had it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends here, whatever was promised: in an orderly way, or with a reset."""

    reset: bool = False


Step: TypeAlias = bytes | Wait | Pause | Close
"""A piece of the body, or what happens between two."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Its methods give another one, with a fault in it.

    A body of one piece is sent with its length, one of several in chunks: what a client sees of the pieces is what was
    written, however the network joins them. A "content-length" of your own wins.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    """The body's pieces and what happens between them."""
    before: Sequence[Step] = ()
    """What happens before the status line; pieces of bytes make no sense here."""

    @property
    def body(self) -> bytes:
        """All of the body."""
        return b"".join(self.pieces)

    @property
    def pieces(self) -> list[bytes]:
        """The pieces of the body alone."""
        return [step for step in self.steps if isinstance(step, bytes)]

    def split(self, size: int | Iterable[int] = 1) -> Reply:
        """The body cut anew, into pieces of `size` bytes, or of these sizes over and over. Faults in it are lost."""
        sizes = [size] if isinstance(size, int) else list(size)
        body, cut, at = self.body, list[bytes](), 0
        while at < len(body):
            length = sizes[len(cut) % len(sizes)]
            cut.append(body[at : at + length])
            at += length
        return replace(self, steps=cut)

    def split_at(self, *places: int) -> Reply:
        """The body in pieces that end at these bytes."""
        edges = [0, *sorted(places), len(self.body)]
        cut = [self.body[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]
        return replace(self, steps=cut)

    def paced(self, seconds: float) -> Reply:
        """So long between two pieces."""
        return self._between(Pause(seconds))

    def gated(self, *events: asyncio.Event) -> Reply:
        """Each piece but the first waits for the next of these events; past the last one pieces flow freely."""
        steps: list[Step] = []
        gates = iter(events)
        for number, piece in enumerate(self.pieces):
            gate = next(gates, None) if number else None
            steps += [Wait(gate), piece] if gate is not None else [piece]
        return replace(self, steps=steps)

    def stall(self, after: int = 1, until: asyncio.Event | None = None) -> Reply:
        """Nothing more after so many pieces: until the event, or else until the peer leaves."""
        return self._insert(after, Wait(until))

    def truncate(self, after: int = 1) -> Reply:
        """The connection is closed after so many pieces, without the end of the body."""
        return self._insert(after, Close())

    def reset(self, after: int = 1) -> Reply:
        """The connection is reset after so many pieces. What the peer has not read by then, it may never see."""
        return self._insert(after, Close(reset=True))

    def slow_headers(self, until: asyncio.Event | None = None) -> Reply:
        """Not even a status line: until the event, or else until the peer leaves."""
        return replace(self, before=[*self.before, Wait(until)])

    def hang_up(self, *, reset: bool = False) -> Reply:
        """The connection ends instead of an answer."""
        return replace(self, before=[*self.before, Close(reset)])

    def with_headers(self, **headers: str) -> Reply:
        """More headers; ``retry_after`` is "retry-after"."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})

    def _insert(self, after: int, fault: Step) -> Reply:
        """Behind the faults that are there already: what is written later happens later."""
        steps, seen = list[Step](), 0
        for step in self.steps:
            if isinstance(step, bytes):
                if seen == after:
                    break
                seen += 1
            steps.append(step)
        rest = list(self.steps[len(steps) :])
        return replace(self, steps=[*steps, fault, *rest])

    def _between(self, step: Step) -> Reply:
        steps: list[Step] = []
        for piece in self.pieces:
            steps += [step, piece] if steps else [piece]
        return replace(self, steps=steps)


def json_reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON body, whole."""
    return Reply(status, {"content-type": "application/json", **(headers or {})}, [_json(content)])


def failure(status: int, content: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
    """A refusal with a JSON body, or with text where `content` is text."""
    if isinstance(content, str | bytes):
        body = content.encode() if isinstance(content, str) else content
        return Reply(status, {"content-type": "text/plain; charset=utf-8", **(headers or {})}, [body])
    return json_reply({} if content is None else content, status, headers)


def sse(
    *events: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    newline: str = "\n",
    names: bool = False,
) -> Reply:
    """Server-sent events, one piece each.

    An event is an object (sent as JSON), a text (sent as it stands: "[DONE]"), a pair ``(name, object)``, or bytes
    that go out as they are (a comment, something broken).

    Args:
        names: An object's "type" becomes the event's name, as Anthropic and OpenAI's responses have it.
        newline: "\\r\\n" and "\\r" are allowed too.
    """
    pieces = [_event(event, newline, names) for event in events]
    given = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", **(headers or {})}
    return Reply(status, given, pieces)


def ndjson(*objects: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An object a line, one piece each; bytes go out as they are."""
    lines = [item if isinstance(item, bytes) else _json(item) + b"\n" for item in objects]
    return Reply(status, {"content-type": "application/x-ndjson", **(headers or {})}, lines)


def binary(
    data: bytes, media_type: str, *, piece: int = 0, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Bytes: whole, or in pieces of so many."""
    whole = Reply(status, {"content-type": media_type, **(headers or {})}, [data] if data else [])
    return whole.split(piece) if piece else whole


def _event(event: Any, newline: str, names: bool) -> bytes:
    if isinstance(event, bytes):
        return event
    name = ""
    if isinstance(event, tuple):
        name, event = event
    elif names and isinstance(event, dict):
        name = event.get("type", "")
    text = event if isinstance(event, str) else _json(event).decode()
    lines = ([f"event: {name}"] if name else []) + [f"data: {line}" for line in text.split("\n")]
    return "".join(line + newline for line in [*lines, ""]).encode()


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
