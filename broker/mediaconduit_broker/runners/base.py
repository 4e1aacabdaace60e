"""What every backend offers."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mediaconduit_broker.runners.logs import LogBuffer


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


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int | None
    signal: int | None

    @classmethod
    def of(cls, returncode: int) -> Exit:
        """From what ``wait`` says."""
        return cls(None, -returncode) if returncode < 0 else cls(returncode, None)

    def __str__(self) -> str:
        if self.signal is not None:
            return f"killed by {signal.Signals(self.signal).name}"
        return f"exited with code {self.code}"


class Sidecar(Protocol):
    """A running one."""

    @property
    def target(self) -> str:
        """gRPC target."""

    @property
    def exit(self) -> Exit | None:
        """None while it runs."""

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
        """Starts one. What it writes goes into `logs`."""
