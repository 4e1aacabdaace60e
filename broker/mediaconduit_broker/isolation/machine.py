"""What this machine can do to keep sidecars apart. Looked at once."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit_broker.isolation.cgroups import Cgroups

_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Tools by their paths; None where they are missing."""

    root: bool = False
    """Whether the broker may act for other users."""
    setpriv: str | None = None
    prlimit: str | None = None
    bubblewrap: str | None = None
    shell: str = "/bin/sh"
    system: tuple[tuple[str, str], ...] = ()
    """Folders of the system beside /usr: (path, what it is a link to, or "" for a folder)."""
    cgroups: Cgroups | None = None
    """None where none below the broker's own can be made."""

    @classmethod
    def look(cls, *, change: bool = True) -> Machine:
        """This machine. Everything that is kept apart here is kept apart on Linux only.

        Args:
            change: As for `Cgroups.detect`.
        """
        if sys.platform != "linux":
            return cls()
        return cls(
            root=os.geteuid() == 0,
            setpriv=shutil.which("setpriv", path=os.defpath),
            prlimit=shutil.which("prlimit", path=os.defpath),
            bubblewrap=shutil.which("bwrap", path=os.defpath),
            system=tuple(_system()),
            cgroups=Cgroups.detect(change=change),
        )

    @property
    def own_users(self) -> bool:
        """Whether sidecars can run under users of their own."""
        return self.root and self.setpriv is not None


def _system() -> list[tuple[str, str]]:
    found = []
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            found.append((str(path), str(path.readlink())))
        elif path.is_dir():
            found.append((str(path), ""))
    return found
