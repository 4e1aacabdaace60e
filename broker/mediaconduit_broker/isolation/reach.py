"""What a user without any rights of its own can get at, by permissions alone. Access lists are not looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

NOBODY: Final = 65534
"""A user that owns nothing."""

_SOURCES_LOOKED_AT: Final = 500


def obstacle(path: Path, uid: int, *, from_root: bool = True) -> Path | None:
    """The first file or folder on the way to `path` that keeps this user out; None when there is none.

    Args:
        path: Absolute. Links are followed, and the way to what they mean is looked at, too.
        uid: Number of the user; its groups are taken to be its own.
        from_root: Whether the folders above count; in a sandbox they do not.
    """
    for step, last in _way(path) if from_root else [(path.resolve(), True)]:
        try:
            found = step.stat()
        except OSError:
            return step
        mode = found.st_mode >> 6 if found.st_uid == uid else found.st_mode
        needed = (stat.S_IROTH if last else 0) | (stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else 0)
        if mode & needed != needed:
            return step
    return None


def closed_source(folder: Path, uid: int, *, from_root: bool = True) -> Path | None:
    """As `obstacle`, for a repository: its folder and the code in it."""
    if (found := obstacle(folder, uid, from_root=from_root)) is not None:
        return found
    for number, file in enumerate(_code(folder)):
        if number == _SOURCES_LOOKED_AT:
            break
        if (found := obstacle(file, uid, from_root=False)) is not None:
            return found
    return None


def _code(folder: Path) -> Iterable[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__", "node_modules"))]
        yield from (Path(parent, name) for name in [*files, *folders] if name.endswith(".py") or name in folders)


def _way(path: Path) -> Iterator[tuple[Path, bool]]:
    """Every folder that is passed, links followed, and whether it is the end."""
    links = 40
    done, rest = Path("/"), list(path.parts[1:])
    yield done, not rest
    while rest:
        step = done / rest.pop(0)
        if step.is_symlink() and links:
            links -= 1
            target = step.readlink()
            rest = [*(target.parts[1:] if target.is_absolute() else target.parts), *rest]
            done = Path("/") if target.is_absolute() else done
            continue
        done = done.parent if step.name == ".." else step
        yield done, not rest


def shareable(folder: Path) -> bool:
    """Whether sidecars with users of their own can reach a folder: the broker is root, and nothing above is closed."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and obstacle(folder.absolute(), NOBODY) is None
