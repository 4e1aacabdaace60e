"""What is known about a built environment; kept in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = "environment.json"


class EnvironmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One built environment."""

    key: str
    provider_id: str = ""
    """Whose it is."""
    interpreter: str
    """"CPython 3.11.7", or what the toolchain says of itself."""
    packages: tuple[str, ...]
    """"name==version", in order of name."""
    size_bytes: int
    build_time: float
    """Seconds since the epoch."""
    build_seconds: float
    rebuild_reason: str = ""
    """What differs from the one this provider had before; empty for its first."""

    @classmethod
    def read(cls, folder: Path) -> EnvironmentRecord | None:
        """The record of an environment; None when it was never finished."""
        try:
            return msgspec.json.decode((folder / _FILE).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, folder: Path) -> None:
        """Puts the record into the environment, which makes it one that counts."""
        (folder / _FILE).write_bytes(msgspec.json.encode(self))


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
