"""Where a provider's code comes from: folders and the bundled catalog."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from mediaconduit.errors import NotFoundError, Reason

_PACKAGE: Final = Path(__file__).parent
_IGNORED: Final = frozenset({"__pycache__", ".git", ".venv", ".pytest_cache", "node_modules", ".mypy_cache"})


@dataclass(frozen=True, slots=True)
class Checkout:
    """A provider's code on this machine."""

    source: str
    """As asked for."""
    resolved: str
    """What exactly it is: "file:cowsay@<hash of the content>"."""
    folder: Path


def catalog() -> dict[str, Path]:
    """Bundled providers by name: those beside the package in a checkout of this project, else those inside it."""
    for root in (_PACKAGE.parents[1] / "providers", _PACKAGE / "_bundled" / "providers"):
        found = {path.parent.name: path.parent for path in sorted(root.glob("*/MediaConduit.provider.yml"))}
        if found:
            return found
    return {}


def resolve(source: str, *, base: Path) -> Checkout:
    """Finds the folder behind "file:" URLs, paths (relative ones from `base`) and catalog names.

    Raises:
        NotFoundError: SOURCE_NOT_FOUND with the nearest names.
    """
    known = catalog()
    if source in known:
        folder = known[source]
    elif source.startswith("file:"):
        folder = base / unquote(urlsplit(source).path)
    elif source.startswith((".", "/", "~")) or "/" in source:
        folder = base / Path(source).expanduser()
    else:
        raise _missing(source, difflib.get_close_matches(source, known, n=3) or list(known))
    folder = folder.resolve()
    if not folder.is_dir():
        raise _missing(source, [])
    return Checkout(source, f"file:{folder.name}@{content_hash(folder)[:16]}", folder)


def content_hash(folder: Path) -> str:
    """SHA-256 over names and contents of a folder's files, without caches and version control."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not _IGNORED.intersection(inside.parts):
            digest.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _missing(source: str, near: list[str]) -> NotFoundError:
    hint = f"bundled providers: {', '.join(near)}" if near else "give a folder with a MediaConduit.provider.yml"
    return NotFoundError(
        f"there is no provider at {source!r}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint=hint,
        metadata={"source": source, "suggestions": ",".join(near)},
    )
