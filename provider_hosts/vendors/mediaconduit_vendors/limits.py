"""How fast a vendor lets us go: what its headers say, and waiting for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

DEFAULT_WAIT: Final = 1.0
"""Seconds to wait where a vendor says "too fast" and not for how long."""
LONGEST_WAIT: Final = 60.0
"""Seconds a call is held back at most; when the vendor wants more, the call fails and says so."""

_DURATION: Final = re.compile(r"([\d.]+)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_REMAINING: Final = (
    "x-ratelimit-remaining-requests",
    "anthropic-ratelimit-requests-remaining",
    "x-ratelimit-remaining",
)
_RESET: Final = ("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset", "x-ratelimit-reset")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a vendor's answer says about the next requests."""

    remaining: int | None = None
    """Requests that may still be made; None = not said."""
    reset: float | None = None
    """Seconds until there are more."""


def read_allowance(headers: Mapping[str, str], now: float) -> Allowance:
    """Reads the headers that vendors use.

    Args:
        headers: Of an answer, with lower-case names.
        now: Unix time.
    """
    remaining = next((headers[name] for name in _REMAINING if name in headers), "")
    reset = next((headers[name] for name in _RESET if name in headers), "")
    return Allowance(int(remaining) if remaining.isdigit() else None, seconds_of(reset, now))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the vendor asks to wait before another try; None when it does not say."""
    if (milliseconds := headers.get("retry-after-ms", "")).replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    return seconds_of(headers.get("retry-after", ""), now)


def seconds_of(text: str, now: float) -> float | None:
    """Seconds from now: "12", "6m0s", "120ms", Unix time in seconds or milliseconds, RFC 3339 or an HTTP date."""
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return _from_number(float(text), now)
    if (parts := _DURATION.findall(text)) and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return _from_date(text, now)


def _from_number(value: float, now: float) -> float:
    if value > 1e12:
        value /= 1000
    return max(0.0, value - now) if value > 1e9 else value


def _from_date(text: str, now: float) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


class Gate:
    """Holds calls back while the vendor wants none. One for each vendor and key."""

    def __init__(self) -> None:
        self._opens = 0.0
        """``time.monotonic()`` from which requests may go."""

    def note(self, headers: Mapping[str, str]) -> None:
        """Learns from the headers of an answer."""
        allowance = read_allowance(headers, time.time())
        if allowance.remaining == 0 and allowance.reset:
            self.close_for(allowance.reset)

    def close_for(self, seconds: float) -> None:
        """Nothing goes for so long."""
        self._opens = max(self._opens, time.monotonic() + seconds)

    @property
    def wait(self) -> float:
        """Seconds until requests may go; 0 = now."""
        return max(0.0, self._opens - time.monotonic())

    async def passed(self) -> None:
        """Returns when requests may go."""
        await asyncio.sleep(self.wait)
