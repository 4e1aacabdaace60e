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


class SkippedError(NotApplicableError):
    """What is to be checked needs something that was not given, as a key; the text says what. Not a pass."""


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
    """What was seen; for a check that was skipped or is not applicable, why."""
    seconds: float
    advice: str = ""
    """What to do, when it failed."""
    applicable: bool = True
    """False when there is nothing to check, which counts as passed."""
    skipped: bool = False
    """It could not be tried for want of a key: neither passed nor failed."""

    @property
    def failed(self) -> bool:
        """Whether the provider does not do what is demanded."""
        return not self.passed and not self.skipped


@dataclass(frozen=True, slots=True)
class Report:
    """How all checks of a provider ended."""

    provider: str
    """Its id."""
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed. One that was skipped did not."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that failed."""
        return tuple(outcome for outcome in self.outcomes if outcome.failed)

    @property
    def skipped(self) -> tuple[Outcome, ...]:
        """Those that could not be tried."""
        return tuple(outcome for outcome in self.outcomes if outcome.skipped)


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
