"""Ends what runs on a state folder."""

from __future__ import annotations

import os
import signal

from mediaconduit.errors import CallTimeoutError, PreconditionError, Reason

from mediaconduit_broker.keeper import processes
from mediaconduit_broker.runners import opening
from mediaconduit_broker.state import StateFolder


def end(state: StateFolder, patience: float) -> tuple[bool, int]:
    """Has the broker stop, then ends the keeper and the sidecars it left.

    Args:
        state: The folder.
        patience: Seconds the broker may take.

    Returns:
        Whether there was a broker, and how many sidecars it left.

    Raises:
        PreconditionError: The broker is another user's, or a new one has come meanwhile.
        CallTimeoutError: It does not end.
    """
    holder = state.holder()
    if holder is not None:
        _stop(holder, patience)
    if not state.root.is_dir():
        return False, 0
    with state.lock():
        return holder is not None, opening.end_all(state.root)


def _stop(pid: int, patience: float) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise PreconditionError(
            f"the broker (process {pid}) is another user's", reason=Reason.NOT_ALLOWED, hint="run this as that user"
        ) from None
    if not processes.wait_gone([pid], patience):
        raise CallTimeoutError(
            f"the broker (process {pid}) has not ended after {patience:g} s",
            hint="running calls may need longer: try again, or give it more time with --timeout",
        )
