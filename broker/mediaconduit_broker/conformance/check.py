"""What a check is, and how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediaconduit_broker.conformance.bench import Bench

Run = Callable[["Bench"], Awaitable[str]]
"""Looks at the provider; gives what it saw. Raises `CheckFailedError` or `NotApplicableError`."""


class CheckFailedError(Exception):
    """The provider does not do what the check demands; the text says what it does instead."""


class NotApplicableError(Exception):
    """There is nothing to check; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One demand on a provider."""

    name: str
    """Stable: lower-case words joined by '-'."""
    demand: str
    """What it demands, one sentence."""
    advice: str
    """What to do when it fails."""
    run: Run


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended."""

    name: str
    passed: bool
    detail: str
    """What was seen; for a check that is not applicable, why."""
    seconds: float
    advice: str = ""
    """What to do, when it failed."""
    applicable: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """How all checks of a provider ended."""

    provider: str
    """Its id."""
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that did not."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)


CHECKS: Final[dict[str, Check]] = {}
"""All checks by name, in the order they run; the modules of `mediaconduit_broker.conformance.checks` fill it."""


def check(name: str, *, demand: str, advice: str) -> Callable[[Run], Run]:
    """Makes a function a check. They run in the order they are written."""

    def register(run: Run) -> Run:
        CHECKS[name] = Check(name, demand, advice, run)
        return run

    return register


def require(condition: object, otherwise: str) -> None:
    """Fails the check unless the condition holds."""
    if not condition:
        raise CheckFailedError(otherwise)
