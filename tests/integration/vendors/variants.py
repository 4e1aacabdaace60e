"""The same answer, said in other ways that a vendor may choose one day without telling."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mediaconduit_vendors.testing import Reply, Step

NEWS: Any = {"made_up_list": [None, {"a": 1}], "made_up_null": None}
"""Members that nobody has heard of."""


def with_news(reply: Reply) -> Reply:
    """JSON has members more; events end their lines with CR LF, with comments and an event of a new kind between them.

    Bodies that are neither are left as they are.
    """
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/event-stream":
        return replace(reply, steps=_events(reply.pieces))
    if media_type in ("application/json", "application/x-ndjson"):
        return replace(reply, steps=[_object(piece) for piece in reply.pieces])
    return reply


def _events(pieces: list[bytes]) -> list[Step]:
    made: list[Step] = []
    for number, piece in enumerate(pieces):
        lines = [_line(line) for line in piece.decode().splitlines()]
        made.append(b": keep-alive\r\n\r\n" + "\r\n".join([*lines, ""]).encode())
        if number == 0 and any(line.startswith("event:") for line in lines):
            made.append(b'event: made_up.kind\r\ndata: {"type": "made_up.kind", "index": 0}\r\n\r\n')
    return made


def _line(line: str) -> str:
    if not line.startswith("data: {"):
        return line
    return f"data: {_object(line.removeprefix('data: ').encode()).decode()}"


def _object(text: bytes) -> bytes:
    """The object with more members; whatever is no object stays."""
    end = b"\n" if text.endswith(b"\n") else b""
    try:
        content = json.loads(text)
    except ValueError:
        return text
    if not isinstance(content, dict):
        return text
    return json.dumps({**NEWS, **content}, ensure_ascii=False).encode() + end
