"""What a source becomes: a folder on this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_IGNORED: Final = frozenset(
    {"__pycache__", ".git", ".venv", ".pytest_cache", "node_modules", ".mypy_cache", ".mediaconduit"}
)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A provider's code on this machine."""

    source: str
    """As asked for."""
    resolved: str
    """What exactly it is: "github:o/r@<commit>", "pypi:name==1.0", "file:cowsay@<hash of the content>". The first two
    are sources themselves, which give the same code for ever."""
    folder: Path
    origin: str = ""
    """Where it comes from, without its version: "github:o/r//sub", "pypi:name", "file:/srv/cowsay", "cowsay"."""
    commit: str = ""
    """Git: 40 hex digits (64 in a SHA-256 repository)."""
    ref: str = ""
    """Git: the branch or tag the commit was found by, "refs/tags/v1"; empty when the commit itself was named."""
    tree: str = ""
    """Git: hash of the provider's tree; pypi: of the unpacked package's content."""


def content_hash(folder: Path) -> str:
    """SHA-256 over names and contents of a folder's files, without caches and version control."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not _IGNORED.intersection(inside.parts):
            digest.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
