"""What goes into a call and where its outputs go, from the command line."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from mediaconduit.content import Item, Media
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1.media_pb2 import Asset, Part

from mediaconduit_broker.cli.failures import UsageError

_NAMED: Final = re.compile(r"^([a-z][a-z0-9_-]*)=(.+)$", re.S)
_URL: Final = re.compile(r"^https?://", re.I)


def read(text: str | None, files: Sequence[str]) -> tuple[list[Item], dict[str, list[Item]]]:
    """The main input and the named ones.

    Raises:
        UsageError: A file that is not there, or stdin wanted twice.
    """
    content: list[Item] = []
    named: dict[str, list[Item]] = {}
    from_stdin = (text == "-") + sum(1 for file in files if _split(file)[1] == "-")
    if from_stdin > 1:
        raise UsageError("stdin can be one input only")
    for file in files:
        name, path, media_type = _split(file)
        item = _item(path, media_type)
        if name:
            named.setdefault(name, []).append(item)
        else:
            content.append(item)
    if text == "-" or (text is None and not content and not from_stdin and not sys.stdin.isatty()):
        text = _stdin_text()
    if text is not None:
        content.insert(0, _checked(text))
    return content, named


def destination(given: str | None) -> Path | None:
    """Where outputs go: a file in a folder that is there, or a folder, made when its name ends in a slash."""
    if given is None:
        return None
    to = Path(given).expanduser()
    if given.endswith("/"):
        to.mkdir(parents=True, exist_ok=True)
    if not to.is_dir() and not to.parent.is_dir():
        raise UsageError(f"-o {to}: there is no folder {to.parent}", hint=f"mkdir -p {to.parent}")
    return to


def _split(given: str) -> tuple[str, str, str]:
    """(name, path, media type) of ``name=path;type=audio/wav``. A file that is called like the whole is that file."""
    if Path(given).is_file():
        return "", given, ""
    rest, _, media_type = given.partition(";type=")
    if not _URL.match(rest) and not Path(rest).is_file() and (match := _NAMED.match(rest)):
        return match[1], match[2], media_type
    return "", rest, media_type


def _item(path: str, media_type: str) -> Item:
    if _URL.match(path):
        return Asset(uri=path, media_type=media_type)
    if path == "-":
        return Media(_stdin(), media_type) if media_type else _checked(_stdin_text())
    file = Path(path).expanduser()
    if not file.is_file():
        raise UsageError(f"-i {path}: there is no such file", hint="named inputs are written NAME=PATH")
    return Media(file, media_type) if media_type else file


def _stdin_text() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace")


async def _stdin() -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(os.read, sys.stdin.fileno(), CHUNK_BYTES):
        yield chunk


def _checked(text: str) -> Part:
    """Text as a part; what a shell passed on that is no text is refused."""
    try:
        return Part(text=text)
    except (ValueError, UnicodeEncodeError):
        raise UsageError("the text is not valid UTF-8", hint="give files with -i") from None
