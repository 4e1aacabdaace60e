"""What is known about a built environment; kept beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec


class EnvironmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One built environment."""

    key: str
    interpreter: str
    """"CPython 3.11.7"."""
    packages: tuple[str, ...]
    """"name==version", in order of name."""
    size_bytes: int
    build_time: float
    """Seconds since the epoch."""
    build_seconds: float

    @classmethod
    def read(cls, folder: Path) -> EnvironmentRecord | None:
        """The record of an environment; None when it was never finished."""
        try:
            return msgspec.json.decode((folder / "environment.json").read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, folder: Path) -> None:
        """Puts the record beside the environment, which makes it one that counts."""
        (folder / "environment.json").write_bytes(msgspec.json.encode(self))
