"""Which failures are tried again, how often and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mediaconduit.errors import MediaConduitError

SAFE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""The vendor has not done the work, or says that it may be sent again. 409 only where a vendor documents it."""


class RefusedError(Exception):
    """A request that failed before any of its answer was used.

    Args:
        error: What the caller is told when it is not tried again.
        again: Whether another try is safe.
        after: Seconds the vendor asks to wait; None = our own backoff.
    """

    def __init__(self, error: MediaConduitError, *, again: bool, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again
        self.after = after


@dataclass(slots=True)
class Budget:
    """Keeps retries a small share of all requests, so that a vendor in trouble is not flooded.

    Every request earns a tenth of a retry; some are there from the start.
    """

    tokens: float = 10.0
    earned: float = 0.1
    most: float = 20.0

    def earn(self) -> None:
        """A request was made."""
        self.tokens = min(self.most, self.tokens + self.earned)

    def spend(self) -> bool:
        """Takes one retry; False when there is none left."""
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


def backoff(budget: Budget, remaining: float | None, longest: float) -> object:
    """What `stamina` asks about an exception: False = give up, True = its own backoff, a number = seconds to wait.

    Args:
        budget: Of the vendor.
        remaining: Seconds until the caller's deadline; None without one.
        longest: Most seconds to wait for the vendor.
    """

    def decide(error: Exception) -> bool | float:
        if not isinstance(error, RefusedError) or not error.again:
            return False
        wait = error.after
        if wait is not None and wait > min(longest, longest if remaining is None else remaining):
            return False
        if not budget.spend():
            return False
        return True if wait is None else wait

    return decide
