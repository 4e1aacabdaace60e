"""Takes values out of text that leaves the broker."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from mediaconduit.errors import FieldViolation, MediaConduitError

from mediaconduit_broker.secrets.secret import MASK, Secret

SHORTEST: Final = 4
"""Characters a value must have to be redacted: shorter ones would tear holes into every line."""
_SHORTEST_LINE: Final = 8
"""The same for one line of a value that has several."""
_KEPT: Final = 256
"""Values remembered: a provider's secrets of now, and some it had before, which its older process may still write."""
_URL_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s:@'\"]*:[^/\s@'\"]+(?=@)")


class Redactor:
    """Replaces secrets in text, also where they were written as JSON, in a URL, or as base64."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._needles: tuple[str, ...] = ()
        self._pattern = re.compile(r"(?!)")
        self._bytes_pattern = re.compile(rb"(?!)")
        self.longest = 0
        """Bytes of the longest thing looked for; 0 when there is nothing."""

    def add(self, secrets: Iterable[Secret]) -> None:
        """From now on also takes these out. Those before stay until `_KEPT` others have come."""
        fresh = [secret.reveal() for secret in secrets if len(secret.reveal()) >= SHORTEST]
        if not fresh or all(value in self._values for value in fresh):
            return
        for value in fresh:
            self._values.pop(value, None)
            self._values[value] = None
        while len(self._values) > _KEPT:
            del self._values[next(iter(self._values))]
        # The longest first: of two that begin alike, the whole of the longer one must go.
        found = {form for value in self._values for form in _forms(value)}
        self._needles = tuple(sorted(found, key=lambda form: (-len(form), form)))
        encoded = [form.encode() for form in self._needles]
        self._pattern = re.compile("|".join(map(re.escape, self._needles)))
        self._bytes_pattern = re.compile(b"|".join(map(re.escape, encoded)))
        self.longest = max(map(len, encoded))

    def text(self, text: str) -> str:
        """The text without them."""
        # Searching for each is many times faster than the pattern, and hardly a line holds one.
        for needle in self._needles:
            if needle in text:
                return self._pattern.sub(MASK, text)
        return text

    def error(self, error: MediaConduitError) -> MediaConduitError:
        """The error without them, of the same kind; itself where it holds none."""
        if not self._needles:
            return error
        cleaned = type(error)(
            self.text(error.message),
            reason=error.reason,
            hint=self.text(error.hint),
            fields=[FieldViolation(self.text(field.field), self.text(field.description)) for field in error.fields],
            metadata={key: self.text(value) for key, value in error.metadata.items()},
            retry_after=error.retry_after,
            details=error.details,
        )
        return error if cleaned.__dict__ == error.__dict__ else cleaned

    def data(self, data: bytes) -> bytes:
        """The same for text in UTF-8."""
        return self._bytes_pattern.sub(MASK.encode(), data) if self._needles else data


def hide_credentials(text: str) -> str:
    """The text with ``user:password@`` of its URLs replaced: tools print the address they could not reach."""
    return _URL_CREDENTIALS.sub(MASK, text)


def _forms(value: str) -> Iterator[str]:
    """The value as programs write it."""
    stripped = value.strip()
    whole = stripped if len(stripped) >= SHORTEST else value
    yield from {
        whole,
        json.dumps(whole)[1:-1],
        json.dumps(whole, ensure_ascii=False)[1:-1],
        repr(whole)[1:-1],
        quote(whole, safe=""),
        quote(whole),
        base64.b64encode(value.encode()).decode().rstrip("="),
    }
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE)
