"""The gate of a broker, from its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mediaconduit_broker.config import Config
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust.allowed import AllowedFile
from mediaconduit_broker.trust.gate import Gate
from mediaconduit_broker.trust.policy import TrustPolicy, is_loopback


def gate_of(config: Config, state: StateFolder, *, base: Path) -> Gate:
    """The gate.

    Raises:
        PreconditionError: A pattern of ``trust.allow`` is none.
    """
    policy = TrustPolicy(
        config.trust.allow,
        AllowedFile(state.root),
        own_folders=is_loopback(config.listen),
        default_state=state.is_default,
    )
    return Gate(policy, lock_path(config, base), base=base, frozen=config.trust.frozen)


def check_by_hand(source: str, state: StateFolder, *, base: Path, allow: Sequence[str] = ()) -> None:
    """For commands that run a provider themselves: whoever types a folder's name means it; the rest must be allowed.

    Args:
        source: As typed.
        state: Knows what was allowed at the command line.
        base: Folder that relative sources start from.
        allow: Patterns of the configuration.

    Raises:
        PreconditionError: SOURCE_NOT_TRUSTED.
        InvalidRequestError: It is no source.
    """
    policy = TrustPolicy(allow, AllowedFile(state.root), own_folders=True, default_state=state.is_default)
    policy.check(source, base=base, by_operator=True)


def lock_path(config: Config, base: Path) -> Path:
    """The lock file."""
    return base / Path(config.trust.lock).expanduser()
