"""A repository's files: their hash, and a copy that a build may write to."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mediaconduit_broker.environments.errors import cannot_plan

_IGNORED: Final = frozenset(
    {
        ".git",
        ".hg",
        ".venv",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".mediaconduit",
        "node_modules",
    }
)
_CACHE_TAG: Final = "CACHEDIR.TAG"
"""In a folder that holds nothing but a cache, by https://bford.info/cachedir/: cargo's target."""


def tree_hash(folder: Path) -> str:
    """SHA-256 over names, modes and contents, without version control and caches.

    Raises:
        PreconditionError: A link leads out of the folder, or something is neither file, folder nor link.
    """
    digest = hashlib.sha256()
    for path in _entries(folder):
        mode = path.lstat().st_mode
        name = path.relative_to(folder).as_posix()
        if stat.S_ISLNK(mode):
            digest.update(f"link {name}\0{_target(path, folder)}\0".encode())
        elif stat.S_ISREG(mode):
            digest.update(f"file {name}\0{mode & 0o111:o} {path.lstat().st_size}\0".encode())
            digest.update(path.read_bytes())
        elif not stat.S_ISDIR(mode):
            raise cannot_plan(f"{name} is neither file, folder nor link", hint="take it out of the repository")
    return digest.hexdigest()


def copy_tree(folder: Path, target: Path) -> None:
    """Copies what `tree_hash` counts into an existing folder; links stay links."""
    for path in _entries(folder):
        there = target / path.relative_to(folder)
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            there.mkdir()
        elif stat.S_ISLNK(mode):
            there.symlink_to(_target(path, folder))
        else:
            shutil.copyfile(path, there)
            there.chmod(0o755 if mode & 0o111 else 0o644)


def is_cache(path: Path) -> bool:
    """Whether a folder says of itself that it is a cache."""
    return (path / _CACHE_TAG).is_file()


def _entries(folder: Path) -> Iterator[Path]:
    """All entries in a stable order, folders before what is in them. Links are not followed."""
    for path in sorted(folder.iterdir()):
        if path.name in _IGNORED or is_cache(path):
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _entries(path)


def _target(link: Path, root: Path) -> str:
    target = os.readlink(link)
    if os.path.isabs(target) or not (link.parent / target).resolve().is_relative_to(root.resolve()):
        raise cannot_plan(f"{link.relative_to(root)} leads out of the repository", hint="put the file itself there")
    return target
