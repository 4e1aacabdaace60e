"""How failures look, and the exit code of each."""

from __future__ import annotations

import sys
import traceback
from typing import Final

from mediaconduit import errors
from mediaconduit.errors import FieldViolation, MediaConduitError, Reason

from mediaconduit_broker.cli import output

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INVALID: Final = 3
NOT_FOUND: Final = 4
PRECONDITION: Final = 5
TRY_AGAIN: Final = 6
TIMED_OUT: Final = 7
NO_BROKER: Final = 69
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    OK: "done",
    FAILED: "the call failed at the provider or its vendor, or a check found something",
    USAGE: "the command line is wrong",
    INVALID: "the request is wrong: an option, an input, a limit",
    NOT_FOUND: "there is no such model, provider or source",
    PRECONDITION: "something must be changed first: a key, a setting, a manifest, a dependency, a permission",
    TRY_AGAIN: "busy or not there now: try again later",
    TIMED_OUT: "out of time",
    NO_BROKER: "no broker answers",
    INTERRUPTED: "interrupted",
}
"""Every exit code; ``exec`` ends with its command's own instead."""

_CODES: Final[dict[type[MediaConduitError], int]] = {
    errors.InvalidRequestError: INVALID,
    errors.NotFoundError: NOT_FOUND,
    errors.PreconditionError: PRECONDITION,
    errors.AccessError: PRECONDITION,
    errors.UnsupportedError: PRECONDITION,
    errors.ExhaustedError: TRY_AGAIN,
    errors.UnavailableError: TRY_AGAIN,
    errors.CallTimeoutError: TIMED_OUT,
    errors.CallCancelledError: INTERRUPTED,
}


class UsageError(Exception):
    """The command line is wrong in a way that its parser cannot see."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NoBrokerError(Exception):
    """Nobody answers at the address, or the connection broke."""

    def __init__(self, target: str, details: str) -> None:
        lost = not ("failed to connect" in details or "connections to all" in details or "resolution" in details)
        self.message = (
            f"the connection to the broker at {target} was lost" if lost else f"no broker answers at {target}"
        )
        self.hint = (
            "see what it wrote" if lost else "start one with `mediaconduit up`, or say where it is with --broker"
        )
        super().__init__(self.message)


def report(error: Exception, *, debug: bool = False) -> int:
    """Says what happened on stderr and gives the exit code."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, MediaConduitError):
        _show(error.message, error.fields, error.hint)
        return code_of(error)
    if isinstance(error, UsageError):
        _show(error.message, hint=error.hint)
        return USAGE
    if isinstance(error, NoBrokerError):
        _show(error.message, hint=error.hint)
        return NO_BROKER
    _show(
        f"an unexpected {type(error).__name__} in the command line",
        hint="" if debug else "MEDIACONDUIT_DEBUG=1 shows where; please report it",
    )
    return FAILED


def code_of(error: MediaConduitError) -> int:
    """The exit code of an error, by its family."""
    return next((code for family, code in _CODES.items() if isinstance(error, family)), FAILED)


def is_unreachable(error: MediaConduitError) -> bool:
    """Whether an error is gRPC's own: a broker that answers gives a reason."""
    return isinstance(error, errors.UnavailableError) and error.reason is Reason.UNSPECIFIED


def _show(message: str, fields: tuple[FieldViolation, ...] = (), hint: str = "") -> None:
    lines = [(("error", "bold red"), (": ", "bold"), (output.safe(message), ""))]
    # A single mistake is mostly the message itself.
    shown = [field for field in fields if message != f"{field.field}: {field.description}"]
    lines += [(("  ", ""), (output.safe(f.field), "bold"), (f": {output.safe(f.description)}", "")) for f in shown]
    if hint:
        lines.append((("hint", "bold cyan"), (": ", "bold"), (output.safe(hint), "")))
    for line in lines:
        output.styled(*line, stderr=True)
