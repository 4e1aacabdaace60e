"""What git has of a folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit_broker.sources.git_command import Git, GitFailedError

_TEXT_BYTES: Final = 1024 * 1024
"""Files above are not read for keys."""
_IGNORED: Final = frozenset({".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache", "target"})
_TAG_AND_COMMIT: Final = "%(refname:short) %(*objectname) %(objectname)"
"""The commit first where the tag is an object of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A folder as its repository has it."""

    top: Path | None = None
    """The repository's own folder; None = there is none."""
    prefix: str = ""
    """Where in the repository the folder is: "providers/mine"; empty = it is all of it."""
    commit: str = ""
    """What is checked out; empty before the first commit."""
    files: tuple[str, ...] = ()
    """Those of the folder that are committed or about to be; all there are without a repository."""
    changed: tuple[str, ...] = ()
    """Those that differ from what is committed, or are not in it."""
    remote: str = ""
    """URL of "origin"."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags and the commits they are of."""


async def read_tree(folder: Path, git: Git) -> Tree:
    """Asks git. Changes nothing.

    Raises:
        PreconditionError: There is no git.
    """
    top = await _ask(git, folder, "rev-parse", "--show-toplevel")
    if not top:
        return Tree(files=await asyncio.to_thread(_every_file, folder))
    changed = await _ask(git, folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    listed = await _ask(git, folder, "ls-files", "-z")
    pairs = await _ask(
        git, folder, "for-each-ref", "--format=%(refname:short) %(*objectname) %(objectname)", "refs/tags"
    )
    return Tree(
        top=Path(top),
        prefix=(await _ask(git, folder, "rev-parse", "--show-prefix")).strip("/"),
        commit=await _ask(git, folder, "rev-parse", "--verify", "--quiet", "HEAD"),
        files=tuple(path for path in listed.split("\0") if path),
        changed=tuple(entry[3:] for entry in changed.split("\0") if entry),
        remote=await _ask(git, folder, "remote", "get-url", "origin"),
        tags=tuple((words[0], words[1]) for line in pairs.splitlines() if (words := line.split())),
    )


def _every_file(folder: Path) -> tuple[str, ...]:
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(path.as_posix() for path in found if not _IGNORED.intersection(path.parts))


async def clone(tree: Tree, target: Path, git: Git) -> Path:
    """Clones what is committed, as from a server; gives the folder in the clone.

    Raises:
        GitFailedError: It cannot be cloned.
    """
    assert tree.top is not None
    await git.run("clone", "--quiet", "--no-hardlinks", "--", tree.top.as_uri(), str(target))
    return target / tree.prefix


def text_of(path: Path) -> str:
    """What a file holds; empty for what is no text, is too large or a link."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _TEXT_BYTES:
        return ""
    data = path.read_bytes()
    return "" if b"\0" in data[:8192] else data.decode("utf-8", "replace")


async def _ask(git: Git, folder: Path, *arguments: str) -> str:
    """What git answers; empty when it refuses."""
    try:
        return (await git.run("-C", str(folder), *arguments)).decode("utf-8", "replace").strip("\n")
    except GitFailedError:
        return ""
