"""What every backend offers."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from mediaconduit.channels import MutualTls

from mediaconduit_broker.isolation import Policy
from mediaconduit_broker.runners.logs import LogBuffer

_SIGNAL_CODES: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start."""

    provider_id: str
    version: str
    command: Sequence[str]
    folder: Path
    """Working folder: the repository."""
    instance: str
    """The nonce that Describe must echo."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Plain variables; never secrets."""
    policy: Policy = field(default_factory=Policy)
    """How far to keep it apart."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. Neither code nor signal: whoever could have waited for it was lost before."""

    code: int | None
    signal: int | None
    limit: str = ""
    """The limit that ended it, as "memory_bytes=1000"; empty for none."""

    @classmethod
    def of(cls, returncode: int, limit: str = "", *, wrapped: bool = False) -> Exit:
        """From what ``wait`` says.

        Args:
            returncode: That.
            limit: The limit that ended it.
            wrapped: A wrapper reports the end of what it started: signals as codes from 129.
        """
        if wrapped and returncode > _SIGNAL_CODES:
            returncode = _SIGNAL_CODES - returncode
        return cls(None, -returncode, limit) if returncode < 0 else cls(returncode, None, limit)

    def __str__(self) -> str:
        name, _, value = self.limit.partition("=")
        why = f": it reached its limit of {value} {name.replace('_', ' ')}" if name else ""
        if self.signal is None and self.code is None:
            return f"ended, nobody knows how{why}"
        if self.signal is not None:
            return f"killed by {signal.Signals(self.signal).name}{why}"
        return f"exited with code {self.code}{why}"


class Sidecar(Protocol):
    """A running one."""

    @property
    def instance(self) -> str:
        """The nonce that Describe must echo: that of its launch, or of an earlier one when it was running already."""

    @property
    def target(self) -> str:
        """gRPC target."""

    @property
    def tls(self) -> MutualTls | None:
        """How to connect to it over TCP; None for a Unix socket, which its folder protects."""

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""

    @property
    def warnings(self) -> Sequence[str]:
        """What was wanted to keep it apart and could not be done, and what it could read for that."""

    @property
    def isolation(self) -> str:
        """How it is kept apart, in a line for people."""

    def configured(self) -> None:
        """It has its settings, and its logs' redactor knows what is secret in them: what it wrote before it was found
        may be read from here on."""

    def alive(self) -> bool:
        """Whether it runs at this moment, also when its end has not been noticed yet. Cheap."""

    async def wait(self) -> Exit:
        """Returns when it has ended. An event, not a poll."""

    def memory_bytes(self) -> int:
        """Resident memory of all its processes; 0 when it has ended."""

    def kill(self) -> None:
        """Ends it at once, with everything in its group; `wait` tells when it is gone."""

    async def stop(self, grace: float) -> None:
        """Ends it and everything it started: politely, then not. Idempotent; it is gone afterwards."""


class Runner(Protocol):
    """A backend."""

    name: str
    """"process", "container", "kubernetes", "remote"."""

    async def start(self, launch: Launch, logs: LogBuffer) -> Sidecar:
        """Starts one, or gives one that was started in just this way and runs on. What it writes goes into `logs`.

        Raises:
            MediaConduitError: It cannot be kept apart as its policy wants.
            OSError: It could not be started.
        """

    def forget(self, provider_id: str) -> None:
        """Removes what lasts of a provider that was removed. May block for a while."""

    def leaving(self) -> None:
        """The broker is about to end: sidecars that outlive it are let go from here on, not stopped."""
