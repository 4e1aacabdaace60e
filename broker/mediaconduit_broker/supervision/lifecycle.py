"""A sidecar's life as a pure function: ``(lifecycle, event) -> (lifecycle, actions)``.

    STOPPED ──Wanted──▶ INSTALLING ──Installed──▶ STARTING ──Answered──▶ LOADING ──Serving──▶ READY
       ▲                    │                        │                      │                   │
       │              InstallFailed            Exited, TimedOut       Exited, TimedOut      Exited
       │                    ▼                        ▼                      ▼                   ▼
       │                 FAILED ◀──too often, or no use trying── BACKOFF ──BackoffElapsed──▶ STARTING
       └──Gone── DRAINING ◀──Unwanted, Idle── any                                      Unhealthy ──▶ killed, BACKOFF

One that is wanted while it drains starts again when it has gone.

No I/O, no clock, no randomness: the supervisor executes the actions and adds the jitter.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

MAX_CRASHES: Final = 5
"""Ends in a row, without `STEADY_SECONDS` of service between them, after which a provider is given up."""
STEADY_SECONDS: Final = 60.0
FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 30.0
HOPELESS_CODES: Final = frozenset({64, 70})
"""Exit codes of hosts that say: another start will end the same (bad command line; the author's code does not load)."""


class State(enum.IntEnum):
    """The numbers of ``mediaconduit.v1.ProviderState``."""

    INSTALLING = 1
    STARTING = 2
    LOADING = 3
    READY = 4
    DRAINING = 5
    STOPPED = 6
    BACKOFF = 7
    FAILED = 8


# Events.
@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody needs it: a load, or a call."""

    explicit: bool = False
    """A load or a change of settings, which gives a FAILED one another chance; a call does not."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Source and environment are there."""


@dataclass(frozen=True, slots=True)
class InstallFailed:
    """They are not, and trying again changes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The process speaks the contract and is the one that was started."""


@dataclass(frozen=True, slots=True)
class Serving:
    """It takes calls."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It runs and cannot be used: another instance answered, or it refuses its settings."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It was not ready in time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended."""

    reason: str
    code: int | None
    uptime: float
    """Seconds it had been READY."""


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """It runs and does not answer, or a cancelled call of it does not end: only a new process helps."""

    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody has needed it for long, or its memory is needed elsewhere."""


@dataclass(frozen=True, slots=True)
class BackoffElapsed:
    """The wait before the next start is over."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """It shall stop."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The process has ended because it was told to."""


Event: TypeAlias = (
    Wanted
    | Installed
    | InstallFailed
    | Answered
    | Serving
    | Refused
    | TimedOut
    | Exited
    | Unhealthy
    | Idle
    | BackoffElapsed
    | Unwanted
    | Gone
)


# Actions.
@dataclass(frozen=True, slots=True)
class Install:
    """Make source and environment; ends in Installed or InstallFailed."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process and bring it up; ends in Serving, Refused, TimedOut or Exited."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Send BackoffElapsed after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process at once; ends in Exited."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Drain and end the process, or the installation, or the wait; ends in Gone."""


@dataclass(frozen=True, slots=True)
class Release:
    """Tell everyone who waits that it is ready."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Tell everyone who waits that it will not be, and why."""


Action: TypeAlias = Install | Spawn | Wait | Kill | Stop | Release | Fail


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where a provider is in its life."""

    state: State = State.STOPPED
    crashes: int = 0
    """Ends in a row."""
    installed: bool = False
    """Source and environment are there; a start need not make them."""
    wanted_again: bool = False
    """Somebody needs it while it is still draining."""
    reason: str = ""
    """Why, for FAILED and BACKOFF."""


Transition: TypeAlias = tuple[Lifecycle, tuple[Action, ...]]

_UP: Final = (State.STARTING, State.LOADING, State.READY)


def transition(now: Lifecycle, event: Event) -> Transition:
    """What follows from an event. One that means nothing in this state changes nothing."""
    match event:
        case Wanted():
            return _wanted(now, explicit=event.explicit)
        case Installed() if now.state is State.INSTALLING:
            return replace(now, state=State.STARTING, installed=True, reason=""), (Spawn(),)
        case InstallFailed() if now.state is State.INSTALLING:
            return replace(now, state=State.FAILED, reason=event.reason), (Fail(),)
        case Answered() if now.state is State.STARTING:
            return replace(now, state=State.LOADING), ()
        case Serving() if now.state is State.LOADING:
            return replace(now, state=State.READY, reason=""), (Release(),)
        case Refused() | TimedOut() if now.state in _UP:
            return replace(now, state=State.FAILED, reason=event.reason), (Stop(), Fail())
        case Exited() if now.state in _UP:
            return _exited(now, event)
        case Unhealthy() if now.state is State.READY:
            return now, (Kill(),)
        case Idle() if now.state is State.READY:
            return replace(now, state=State.DRAINING), (Stop(),)
        case BackoffElapsed() if now.state is State.BACKOFF:
            return replace(now, state=State.STARTING), (Spawn(),)
        case Unwanted() if now.state in (State.STOPPED, State.FAILED):
            return replace(now, state=State.STOPPED, crashes=0, reason=""), ()
        case Unwanted() if now.state is not State.DRAINING:
            return replace(now, state=State.DRAINING, reason=""), (Stop(), Fail())
        case Unwanted():
            return replace(now, wanted_again=False), (Fail(),)
        case Gone() | Exited() if now.state is State.DRAINING:
            stopped = replace(now, state=State.STOPPED, crashes=0, wanted_again=False)
            return _wanted(stopped, explicit=False) if now.wanted_again else (stopped, ())
    return now, ()


def _wanted(now: Lifecycle, *, explicit: bool) -> Transition:
    if now.state is State.STOPPED or (now.state is State.FAILED and explicit):
        fresh = replace(now, crashes=0, reason="")
        if now.installed and not explicit:
            return replace(fresh, state=State.STARTING), (Spawn(),)
        return replace(fresh, state=State.INSTALLING), (Install(),)
    if now.state is State.READY:
        return now, (Release(),)
    if now.state is State.FAILED:
        return now, (Fail(),)
    if now.state is State.DRAINING:
        return replace(now, wanted_again=True), ()
    return now, ()


def _exited(now: Lifecycle, event: Exited) -> Transition:
    crashes = 1 if event.uptime >= STEADY_SECONDS else now.crashes + 1
    if event.code in HOPELESS_CODES or crashes >= MAX_CRASHES:
        return replace(now, state=State.FAILED, crashes=crashes, reason=event.reason), (Fail(),)
    # The first end after having served is followed by a start at once: the next call works again.
    delay = 0.0 if now.state is State.READY and crashes == 1 else min(FIRST_DELAY * 2 ** (crashes - 1), MAX_DELAY)
    told = () if now.state is State.READY else (Fail(),)
    return replace(now, state=State.BACKOFF, crashes=crashes, reason=event.reason), (*told, Wait(delay))
