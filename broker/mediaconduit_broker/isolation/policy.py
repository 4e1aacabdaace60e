"""What an operator wants for a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Sandbox = Literal["off", "bubblewrap"]
Transport = Literal["unix", "tcp"]
UserMode = Literal["auto", "required", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one sidecar may use, with everything it starts. 0 = no limit."""

    memory_bytes: int = 0
    processes: int = 0
    """Processes and threads."""
    open_files: int = 0
    """Of each process."""
    cpus: float = 0.0
    """1.5 = one and a half cores' time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How far a provider is to be kept apart."""

    sandbox: Sandbox = "off"
    network: bool = True
    """Whether it gets the network in a sandbox; outside one it always does."""
    readable: tuple[Path, ...] = ()
    """Files and folders it may read in a sandbox, beside its own."""
    bounds: Bounds = field(default_factory=Bounds)
