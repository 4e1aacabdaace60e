"""What one sidecar got to be kept apart."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mediaconduit.channels import MutualTls

from mediaconduit_broker.isolation.cgroups import Cgroup
from mediaconduit_broker.isolation.policy import Policy

_NO_MEMORY: Final = re.compile(r"MemoryError|bad_alloc|cannot allocate memory|out of memory", re.I)
_REMOVE_SECONDS: Final = 1.0


@dataclass(slots=True, kw_only=True)
class Cell:
    """One sidecar kept apart: what to start, and what was made for it. `remove` frees all of it."""

    command: list[str]
    variables: dict[str, str]
    """To add to its own."""
    socket: Path
    """Where it listens, in a folder that only its user and the broker can enter."""
    policy: Policy
    port: int = 0
    """The port of the loopback it listens on instead; 0 = none."""
    tls: MutualTls | None = None
    """How to connect to that."""
    uid: int | None = None
    sandboxed: bool = False
    group: Cgroup | None = None
    warnings: tuple[str, ...] = ()
    """What was wanted and could not be done, and what it could read for that."""
    folders: tuple[Path, ...] = field(default=())

    @property
    def address(self) -> str:
        """Where it listens, as gRPC wants it."""
        return f"127.0.0.1:{self.port}" if self.port else f"unix:{self.socket}"

    @property
    def description(self) -> str:
        """How it is kept apart, in a line."""
        bounds = self.policy.bounds
        parts = [
            f"user {self.uid}" if self.uid is not None else "the broker's user",
            f"bubblewrap, network {'on' if self.policy.network else 'off'}" if self.sandboxed else "",
            f"memory {bounds.memory_bytes} bytes" if bounds.memory_bytes else "",
            f"{bounds.processes} processes" if bounds.processes else "",
            f"{bounds.open_files} open files" if bounds.open_files else "",
            f"{bounds.cpus:g} cpus" if bounds.cpus else "",
        ]
        return ", ".join(filter(None, parts))

    def limit_reached(self, last_lines: Iterable[str]) -> str:
        """The limit that ended it, as "memory_bytes=1000"; "" for none. `last_lines` are what it wrote last."""
        size = self.policy.bounds.memory_bytes
        if not size:
            return ""
        grouped = self.group is not None and "memory" in self.group.folders
        if self.group is not None and grouped:
            reached = self.group.out_of_memory()
        else:
            # An address space that is used up kills nobody: allocations fail, and it says so as it ends.
            reached = any(map(_NO_MEMORY.search, last_lines))
        return f"memory_bytes={size}" if reached else ""

    def kill(self) -> None:
        """SIGKILL to all it started, where a control group knows them."""
        if self.group is not None:
            self.group.kill()

    def remove(self) -> None:
        """Kills what is left and removes its folders. Blocks for as long as that takes."""
        if self.group is not None:
            self.group.remove(within=_REMOVE_SECONDS)
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
