"""What a client sent, as it came."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    name: str
    data: bytes
    filename: str = ""
    """Empty for a field that is no file."""
    media_type: str = ""
    """As the part says; empty when it does not."""

    @property
    def text(self) -> str:
        """Its content as text. Raises UnicodeDecodeError when it is none."""
        return self.data.decode()


@dataclass(eq=False)
class Request:
    """One request, recorded when all of it had come."""

    method: str
    target: str
    """As on the request line, still encoded, with the query."""
    headers: Sequence[tuple[str, str]]
    """In order, names in lower case."""
    body: bytes
    number: int
    """Of the server's requests, from 0."""
    connection: int
    """Of the server's connections, from 0."""
    answered: bool = False
    """Whether all of the reply was written."""
    left: bool = False
    """Whether the peer ended the connection (and not the server)."""
    gone: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set when its connection has ended."""

    @property
    def path(self) -> str:
        """Without the query, decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs, in order."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def header(self, name: str, default: str = "") -> str:
        """The header's value; several are joined by commas."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else default

    @property
    def media_type(self) -> str:
        """Of the body, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)

    @property
    def form(self) -> list[FormField]:
        """The body's fields, multipart or url-encoded. Raises ValueError when it is neither, or malformed."""
        if self.media_type == "application/x-www-form-urlencoded":
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))
            return [FormField(name, value.encode()) for name, value in pairs]
        if self.media_type == "multipart/form-data":
            return parse_multipart(self.body, self.header("content-type"))
        raise ValueError(f"no form but {self.media_type or 'a body without a content-type'}")

    def field(self, name: str) -> FormField:
        """The first field of that name. Raises KeyError when the form has none."""
        for found in self.form:
            if found.name == name:
                return found
        raise KeyError(name)


def parse_multipart(body: bytes, content_type: str) -> list[FormField]:
    """Fields of a multipart form, strictly as RFC 7578 has them. Raises ValueError."""
    boundary = _parameter("content-type", content_type, "boundary")
    if not boundary:
        raise ValueError("a multipart body without a boundary")
    # The first delimiter has no line before it where there is no preamble.
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(sections) < 2 or not re.fullmatch(rb"--[ \t]*(\r\n.*)?", sections[-1], re.DOTALL):
        raise ValueError("a multipart body without its closing delimiter")
    return [_field(section) for section in sections[1:-1]]


def _field(section: bytes) -> FormField:
    head, separator, data = section.partition(b"\r\n\r\n")
    if not separator or not re.match(rb"[ \t]*\r\n", section):
        raise ValueError("a part of a multipart body without headers")
    headers: dict[str, str] = {}
    for line in head.decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = headers.get("content-disposition", "")
    if not disposition.startswith("form-data"):
        raise ValueError("a part of a form without `content-disposition: form-data`")
    name = _parameter("content-disposition", disposition, "name")
    if not name:
        raise ValueError("a part of a form without a name")
    filename = _parameter("content-disposition", disposition, "filename")
    return FormField(name, data, filename, headers.get("content-type", ""))


def _parameter(header: str, value: str, name: str) -> str:
    message = Message()
    message[header] = value
    found = message.get_param(name, "", header)
    return found[2] if isinstance(found, tuple) else str(found or "")
