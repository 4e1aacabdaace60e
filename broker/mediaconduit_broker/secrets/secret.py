"""A value that does not show itself."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

MASK: Final = "***"
"""What stands where a value would."""


class Secret:
    """A text that ``repr``, ``str`` and ``format`` do not show, and that cannot be pickled or turned to JSON.

    Args:
        value: The text.
        source: Where it was found ("environment", "folder", "command"), for people.
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str = "") -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The text, for whoever hands it on."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
