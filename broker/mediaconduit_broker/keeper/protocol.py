"""What broker and keeper say to each other: frames of JSON on a Unix socket, four bytes of length before each.

A request is ``{"id": 7, "op": "kill", ...}``. It is answered by one ``{"id": 7, "ok": {...}}`` or one
``{"id": 7, "error": "not_found", "message": "..."}``; ``follow`` is answered by any number of
``{"id": 7, "pipe": "stderr", "data": base64}`` and closed by ``{"id": 7, "exit": {"code": ..., "signal": ...}}``,
``watch`` by any number of ``{"id": 7, "ended": instance, "code": ..., "signal": ...}``. Any request renews the lease.

=========  ============================================  ==================================================
op         fields                                        answer
=========  ============================================  ==================================================
hello      protocol, lease (seconds)                     pid of the keeper, its protocol
spawn      instance, command, cwd, environ, folders      pid, identity of the sidecar
list                                                     all it holds: instance, pid, identity, exit
kill       instance, signal ("TERM" or "KILL")           KILL reaches everything the sidecar started
forget     instance                                      drops what is kept of one that has ended
follow     instance                                      what it wrote and writes, at last the exit
watch                                                    every end, those of the past first
renew
shutdown                                                 ends all sidecars and the keeper; then the socket closes
=========  ============================================  ==================================================
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PROTOCOL: Final = 1
"""Goes up when an old keeper and a new broker would misunderstand each other; "hello" and "shutdown" never change."""
MAX_FRAME: Final = 4 * 1024 * 1024
_HEADER: Final = struct.Struct(">I")

_NUMBER: Final = (int, float)
OPERATIONS: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "hello": {"protocol": int, "lease": _NUMBER},
    "spawn": {"instance": str, "command": list, "cwd": str, "environ": dict, "folders": list},
    "list": {},
    "kill": {"instance": str, "signal": str},
    "forget": {"instance": str},
    "follow": {"instance": str},
    "watch": {},
    "renew": {},
    "shutdown": {},
}


class ProtocolError(Exception):
    """What came is not of this protocol. ``number`` is the request's id where it had one."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has all its fields, each of its type."""

    number: int
    op: str
    fields: Mapping[str, Any]


def frame(message: Mapping[str, Any]) -> bytes:
    """A message as it travels. Raises `ProtocolError` for one that is too large."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > MAX_FRAME:
        raise ProtocolError(f"a message of {len(body)} bytes is too large")
    return _HEADER.pack(len(body)) + body


class Frames:
    """Finds the messages in what a socket gives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The messages that are whole now. Raises `ProtocolError`; nothing can be read after that."""
        self._buffer += data
        found: list[dict[str, Any]] = []
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ProtocolError(f"a message of {length} bytes is too large")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            found.append(_decoded(bytes(self._buffer[_HEADER.size : end])))
            del self._buffer[:end]
        return found


def parse(message: Mapping[str, Any]) -> Request:
    """A message as a request. Raises `ProtocolError` that says what is wrong with it."""
    number, op = message.get("id"), message.get("op")
    if not _is(number, int):
        raise ProtocolError("a request needs a whole number as its id")
    assert isinstance(number, int)
    fields = OPERATIONS.get(op) if isinstance(op, str) else None
    if fields is None:
        raise ProtocolError(f"there is no operation {op!r}", number)
    assert isinstance(op, str)
    for name, kind in fields.items():
        if not _is(message.get(name), kind):
            raise ProtocolError(f"{op}: {name} is missing or of the wrong type", number)
    if op == "kill" and message["signal"] not in ("TERM", "KILL"):
        raise ProtocolError("kill: signal is TERM or KILL", number)
    if op == "hello" and not message["lease"] > 0:
        raise ProtocolError("hello: lease is a time above 0", number)
    if op == "spawn":
        words = [*message["command"], *message["environ"].values(), *message["folders"]]
        if not message["command"] or not all(isinstance(word, str) and "\0" not in word for word in words):
            raise ProtocolError("spawn: command, environ and folders are of strings", number)
    return Request(number, op, {name: message[name] for name in fields})


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        raise ProtocolError("a message is not JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message is not an object")
    return message
