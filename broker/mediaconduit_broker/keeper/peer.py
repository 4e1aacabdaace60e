"""A broker's connection, as the keeper sees it: requests in, answers and lines out, bounded."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from mediaconduit_broker.keeper.held import Held
from mediaconduit_broker.keeper.protocol import Frames, ProtocolError, Request, frame, parse

_AHEAD: Final = 256 * 1024
"""Bytes written ahead of a broker that does not read; lines then wait in their rings."""


class Peer:
    """One connection.

    Args:
        connection: A connected socket, which this owns.
        serve: Does what a request asks for.
    """

    def __init__(self, connection: socket.socket, serve: Callable[[Peer, Request], None]) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._serve = serve
        self._frames = Frames()
        self._out = bytearray()
        self._followed: dict[int, tuple[Held, dict[str, int]]] = {}
        """By request: who, and how much of each pipe was sent."""
        self._watches: set[int] = set()
        self._behind = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._out) or self._behind

    def answer(self, number: int | None, message: Mapping[str, Any]) -> None:
        """Sends something about a request."""
        self._out += frame({"id": number, **message})

    def receive(self) -> bool:
        """Takes what has come; False when the connection has ended."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        try:
            messages = self._frames.feed(data)
        except ProtocolError:
            return False  # where the next message would begin is unknown
        for message in messages:
            try:
                self._serve(self, parse(message))
            except ProtocolError as error:
                self.answer(error.number, {"error": "invalid", "message": str(error)})
        return True

    def follow(self, number: int, held: Held) -> None:
        """Sends what it wrote and writes, and at last its exit."""
        self._followed[number] = (held, dict.fromkeys(held.tails, 0))

    def watch(self, number: int, ended: list[Held]) -> None:
        """Tells of every end; of these now."""
        self._watches.add(number)
        for held in ended:
            self.tell(held)

    def tell(self, held: Held) -> None:
        """One has ended."""
        for number in self._watches:
            self.answer(number, {"ended": held.instance, **(held.exit or {})})

    def fill(self) -> None:
        """Puts what sidecars wrote into what is written next, as far as there is room."""
        self._behind = False
        for number, (held, sent) in list(self._followed.items()):
            complete = held.exit is not None
            for name, tail in held.tails.items():
                while sent[name] < tail.end and len(self._out) < _AHEAD:
                    data, sent[name] = tail.after(sent[name])
                    self.answer(number, {"pipe": name, "data": base64.b64encode(data).decode()})
                self._behind |= sent[name] < tail.end
                complete &= sent[name] == tail.end
            if complete:
                del self._followed[number]
                self.answer(number, {"exit": held.exit})

    def send(self) -> bool:
        """Writes what the socket takes; False when the connection has ended."""
        if self._out:
            try:
                del self._out[: self.connection.send(self._out)]
            except BlockingIOError:
                pass
            except OSError:
                return False
        return True

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(OSError):
            self.connection.close()
