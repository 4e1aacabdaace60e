"""Providers that are already here: folders and the bundled catalog."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

from mediaconduit.errors import NotFoundError, Reason

from mediaconduit_broker.sources.checkout import Checkout, content_hash
from mediaconduit_broker.sources.parse import CatalogSource, FolderSource

_PACKAGE: Final = Path(__file__).parents[1]


def catalog() -> dict[str, Path]:
    """Bundled providers by name: those beside the package in a checkout of this project, else those inside it."""
    for root in (_PACKAGE.parents[1] / "providers", _PACKAGE / "_bundled" / "providers"):
        found = {path.parent.name: path.parent for path in sorted(root.glob("*/MediaConduit.provider.yml"))}
        if found:
            return found
    return {}


def resolve_folder(wanted: FolderSource | CatalogSource, source: str, *, base: Path) -> Checkout:
    """The folder meant by a path (relative ones start from `base`) or a catalog name.

    Raises:
        NotFoundError: SOURCE_NOT_FOUND with the nearest names.
    """
    if isinstance(wanted, CatalogSource):
        known = catalog()
        if wanted.name not in known:
            raise _missing(source, difflib.get_close_matches(wanted.name, known, n=3) or list(known))
        folder = known[wanted.name].resolve()
        return _checkout(source, folder, wanted.name)
    folder = (base / Path(wanted.path).expanduser()).resolve()
    if not folder.is_dir():
        raise _missing(source, [])
    return _checkout(source, folder, f"file:{folder}")


def _checkout(source: str, folder: Path, origin: str) -> Checkout:
    return Checkout(source, f"file:{folder.name}@{content_hash(folder)[:16]}", folder, origin)


def _missing(source: str, near: list[str]) -> NotFoundError:
    if near:
        hint = f"bundled providers: {', '.join(near)}"
    else:
        hint = "give a folder with a MediaConduit.provider.yml, or a repository as github:owner/name"
    return NotFoundError(
        f"there is no provider at {source!r}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint=hint,
        metadata={"source": source, "suggestions": ",".join(near)},
    )
