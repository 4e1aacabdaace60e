"""Our host libraries for languages whose programs are built: the broker puts its own where a repository points to them.

A repository in Go or Rust names them by a path below `FOLDER`, which is no part of it: a ``replace`` in go.mod, a
``path`` in Cargo.toml. What stands there is laid out as in this project's own repository.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit_broker.environments.tree import copy_tree, tree_hash

FOLDER: Final = ".mediaconduit"
"""Where a repository finds them."""
_PACKAGE: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class HostLibrary:
    """The library for one language."""

    language: str
    named_in: str
    """File of a repository that would name it."""
    folders: tuple[str, ...]
    """What it is made of."""


LIBRARIES: Final = (
    HostLibrary("go", "go.mod", ("protos/go", "provider_hosts/go")),
    HostLibrary("rust", "Cargo.toml", ("provider_hosts/rust",)),
)


def wanted(repository: Path) -> tuple[HostLibrary, ...]:
    """The libraries that a repository points to."""
    return tuple(library for library in LIBRARIES if _points(repository / library.named_in))


def fingerprint(libraries: tuple[HostLibrary, ...]) -> tuple[str, ...]:
    """What identifies the libraries as this broker has them: "go 3f2a…"."""
    return tuple(f"{library.language} {_hash(library)[:16]}" for library in libraries)


def put(libraries: tuple[HostLibrary, ...], repository: Path) -> None:
    """Copies the libraries into a repository, for a build."""
    for source, target in _places(libraries, repository):
        target.mkdir(parents=True)
        copy_tree(source, target)


def link(libraries: tuple[HostLibrary, ...], repository: Path) -> None:
    """Links the libraries into a repository, for whoever works on it."""
    for source, target in _places(libraries, repository):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.is_file():
            target.unlink()
        elif target.is_dir():
            shutil.rmtree(target)
        target.symlink_to(source)


def bundled_providers() -> tuple[Path, ...]:
    """Folders that hold the providers this broker came with."""
    return (_PACKAGE.parents[1] / "providers", _PACKAGE / "_bundled" / "providers")


def _root() -> Path:
    """A checkout of this project around the package, else what was packed into it."""
    checkout = _PACKAGE.parents[1]
    return checkout if (checkout / "provider_hosts" / "go" / "go.mod").is_file() else _PACKAGE / "_bundled" / "hosts"


def _places(libraries: tuple[HostLibrary, ...], repository: Path) -> list[tuple[Path, Path]]:
    folders = [folder for library in libraries for folder in library.folders]
    return [(_root() / folder, repository / FOLDER / folder) for folder in folders]


def _points(file: Path) -> bool:
    return file.is_file() and f"{FOLDER}/" in file.read_text(encoding="utf-8", errors="replace")


def _hash(library: HostLibrary) -> str:
    digest = hashlib.sha256()
    for folder in library.folders:
        digest.update(tree_hash(_root() / folder).encode())
    return digest.hexdigest()
