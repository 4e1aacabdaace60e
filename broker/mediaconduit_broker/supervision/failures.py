"""Why a provider is not ready, as errors that say what to do next."""

from __future__ import annotations

from mediaconduit.errors import PreconditionError, Reason, UnavailableError

from mediaconduit_broker.runners import Exit
from mediaconduit_broker.supervision.lifecycle import State


def _see_logs(provider_id: str) -> str:
    return f"see `mediaconduit provider logs {provider_id}`"


def not_loading(provider_id: str, last_lines: str) -> PreconditionError:
    """Its code ends before it serves, and would again. `last_lines`: what it wrote, secrets taken out."""
    return PreconditionError(
        "the provider's code does not load",
        reason=Reason.BUILD_FAILED,
        metadata={"step": "import", "last_lines": last_lines[-2048:]},
        hint=f"{_see_logs(provider_id)}, mend it and load it again",
    )


def ended_early(provider_id: str, exit_: Exit, state: State) -> UnavailableError:
    """The process ended before it served."""
    return UnavailableError(
        f"the sidecar {exit_} before it was ready",
        metadata={"state": state.name, "why": str(exit_)},
        hint=_see_logs(provider_id),
    )


def too_slow(provider_id: str, seconds: float, state: State) -> UnavailableError:
    """It was not ready in time."""
    return UnavailableError(
        f"the provider was not ready after {seconds:g} s",
        metadata={"state": state.name, "why": "start timed out"},
        hint=f"{_see_logs(provider_id)}; a slow start may need a longer start_timeout in its manifest",
    )


def not_ready(provider_id: str, state: State, reason: str) -> UnavailableError:
    """Nobody knows better than its state."""
    return UnavailableError(
        f"provider {provider_id} is {state.name}" + (f": {reason}" if reason else ""),
        metadata={"state": state.name, "why": reason},
        hint=_see_logs(provider_id),
    )
