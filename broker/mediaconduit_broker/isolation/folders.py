"""Private folders of sidecars: for their sockets, their temporary files, and a home that lasts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_RUN: Final = Path("/run")
_PRIVATE: Final = 0o700
_PASSABLE: Final = 0o711
"""Others may pass through and see nothing of what is there."""


class Folders:
    """The folders of one broker's sidecars.

    Args:
        homes: Where homes are; None = sidecars keep the broker's.
        shared: Whether users other than the broker's must be able to pass.
        at: Those of a broker before, to go on with: `paths`; () = new ones.
    """

    def __init__(self, homes: Path | None, *, shared: bool, at: Sequence[Path] = ()) -> None:
        self._homes = homes
        self._mode = _PASSABLE if shared else _PRIVATE
        if at:
            self.sockets, self._temporary = at
            return
        # Paths of Unix sockets are limited to 107 characters: a short folder of our own.
        self.sockets = self._made(_run_folder() if shared else None)
        # Not in /run, which is memory: temporary files may be large.
        self._temporary = self._made(None) if shared else self.sockets

    @property
    def paths(self) -> tuple[Path, Path]:
        """Where sockets and temporary files are."""
        return self.sockets, self._temporary

    def make(self, name: str, uid: int | None) -> tuple[Path, Path]:
        """Folders for one sidecar's socket and for its temporary files, for this user alone."""
        made = (self.sockets / name, self._temporary / f"{name}-tmp")
        for folder in made:
            _own(folder, uid)
        return made

    def home(self, provider_id: str, uid: int | None) -> Path | None:
        """A provider's home, for this user alone."""
        if self._homes is None:
            return None
        self._homes.mkdir(mode=self._mode, exist_ok=True)
        home = self._homes / provider_id
        _own(home, uid)
        return home

    def forget_home(self, provider_id: str) -> None:
        """Removes a provider's home. Takes as long as there are files."""
        if self._homes is not None:
            shutil.rmtree(self._homes / provider_id, ignore_errors=True)

    def close(self) -> None:
        """Removes all but the homes. All sidecars have been stopped before."""
        for folder in {self.sockets, self._temporary}:
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self, below: Path | None) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="mc-", dir=below))
        folder.chmod(self._mode)
        return folder


def _run_folder() -> Path | None:
    """/run/mediaconduit; None where there is no /run that can be written to."""
    folder = _RUN / "mediaconduit"
    try:
        folder.mkdir(mode=_PASSABLE, exist_ok=True)
        folder.chmod(_PASSABLE)
    except OSError:
        return None
    return folder


def _own(folder: Path, uid: int | None) -> None:
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    folder.chmod(_PRIVATE)
    if uid is not None:
        _hand_over(folder, uid)


def _hand_over(folder: Path, uid: int) -> None:
    """Changes the owner, of what is in it too when it had another one: a home from before there were users."""
    if folder.stat().st_uid == uid:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), uid, uid, follow_symlinks=False)
    os.chown(folder, uid, uid)
