"""Where fetched code is kept: one folder for each version, made aside, checked, renamed into place, never changed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Final

import msgspec
import structlog
from mediaconduit import tasks
from mediaconduit.errors import PreconditionError, Reason

_log = structlog.get_logger(__name__)

_RECORD: Final = "checkout.json"
_STAGING: Final = ".new-"
_PASSABLE: Final = 0o711
"""Sidecars with users of their own reach their code by its name, and see no other names."""
_CLEAN_SECONDS: Final = 60.0
_STALE_SECONDS: Final = 24 * 3600.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside a checkout, which makes it one that counts."""

    origin: str
    version: str
    """Commit, or version of a package."""
    tree: str
    """Hash of its content."""
    name: str
    """Of the folder."""
    content: str = ""
    """Fingerprint of the folder as it was put here."""

    @property
    def resolved(self) -> str:
        """The version as a source."""
        return f"{self.origin}{'==' if self.origin.startswith('pypi:') else '@'}{self.version}"


class Store:
    """The folder of fetched code. Several processes may use it at once.

    Args:
        root: It; made when something is fetched.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, repository: str, origin: str, version: str) -> tuple[Path, Record] | None:
        """A checkout and its record; None when there is none."""
        place = self._place(repository, origin, version)
        with contextlib.suppress(OSError, msgspec.DecodeError):
            record = msgspec.json.decode((place / _RECORD).read_bytes(), type=Record)
            if record.origin == origin and (place / record.name).is_dir():
                with contextlib.suppress(OSError):
                    (place / _RECORD).touch()  # when it was last asked for
                return place / record.name, record
        return None

    def intact(self, repository: str, origin: str, version: str) -> tuple[Path, Record] | None:
        """As `find`, for code that is about to run: one that was changed here does not count. Reads all of it."""
        found = self.find(repository, origin, version)
        if found is not None and fingerprint(found[0]) != found[1].content:
            _log.warning("fetched code was changed on disk and is fetched again", source=found[1].resolved)
            # Away, not gone: what runs from there may go on. The sweep has it a day later.
            with contextlib.suppress(OSError):
                aside = self._root / f"{_STAGING}{uuid.uuid4().hex}"
                self._place(repository, origin, version).rename(aside)
                aside.touch()
            return None
        return found

    def versions(self, repository: str) -> set[str]:
        """Versions of a repository that are here, of any of its folders."""
        group = self._root / _slug(repository)
        return {path.name.partition("~")[0] for path in group.glob("*") if (path / _RECORD).is_file()}

    @contextlib.asynccontextmanager
    async def staging(self) -> AsyncIterator[Path]:
        """A new folder of the same disk; what is left in it goes.

        Raises:
            PreconditionError: BUILD_FAILED, step "fetch": it cannot be written.
        """
        folder = self._root / f"{_STAGING}{uuid.uuid4().hex}"
        try:
            await asyncio.to_thread(self._prepare, folder)
            yield folder
        except OSError as error:
            raise no_room(error.strerror or "unknown") from None
        finally:
            # In a thread: what a deadline has cut off may be large.
            gone = asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await tasks.shielded(gone, timeout=_CLEAN_SECONDS, name="remove what was fetched in part")

    def publish(self, staged: Path, repository: str, record: Record) -> Path:
        """Checks a staged folder and puts it where `find` looks. If another process was faster, its one counts.

        Args:
            staged: A folder in a `staging` of its own.
            repository: Whose versions stand together.
            record: What it is.

        Raises:
            PreconditionError: SOURCE_NOT_TRUSTED: a link in it leads out of it.
        """
        # Under a name nobody can guess, so that no link leaves and comes back by it.
        staged = staged.rename(staged.with_name(uuid.uuid4().hex))
        check_links(staged)
        _open(staged)
        place = staged.with_name(f"{staged.name}.place")
        place.mkdir()
        staged.rename(place / record.name)
        record = msgspec.structs.replace(record, content=fingerprint(place / record.name))
        (place / _RECORD).write_bytes(msgspec.json.encode(record))
        final = self._place(repository, record.origin, record.version)
        for folder in (final.parent, place):
            folder.mkdir(exist_ok=True)
            folder.chmod(_PASSABLE)
        if final.exists() and self.find(repository, record.origin, record.version) is None:
            shutil.rmtree(final, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: somebody was faster
            place.rename(final)
        found = self.find(repository, record.origin, record.version)
        if found is None:
            raise no_room("it could not be put in its place")
        return found[0]

    def collect(self, keep: Collection[str], unused_seconds: float) -> int:
        """Removes versions that nobody has asked for in that time; gives how many.

        Args:
            keep: Versions that stay, as `Record.resolved`.
            unused_seconds: What was asked for since stays, too: it may be about to run.
        """
        count = 0
        for path in self._root.glob(f"*/*/{_RECORD}"):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                record = msgspec.json.decode(path.read_bytes(), type=Record)
                if record.resolved in keep or time.time() - path.stat().st_mtime < unused_seconds:
                    continue
                path.unlink()  # first what makes it count, so that nobody takes half of one
                shutil.rmtree(path.parent, ignore_errors=True)
                count += 1
        return count

    def _place(self, repository: str, origin: str, version: str) -> Path:
        inside = origin.removeprefix(repository).strip("/")
        suffix = f"~{_digest(inside)}" if inside else ""
        return self._root / _slug(repository) / f"{version}{suffix}"

    def _prepare(self, new: Path) -> None:
        """Makes a folder, and removes what processes that were killed have left."""
        new.mkdir(parents=True, mode=0o700)
        for folder in self._root.glob(f"{_STAGING}*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


def check_links(folder: Path) -> None:
    """Refuses links that lead out of the folder.

    Raises:
        PreconditionError: SOURCE_NOT_TRUSTED, naming the link.
    """
    root = folder.resolve()
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(parent, name)
            if not path.is_symlink():
                continue
            inside = path.relative_to(root)
            if not (_stays(inside, os.readlink(path)) and Path(os.path.realpath(path)).is_relative_to(root)):
                raise PreconditionError(
                    f"the link {inside.as_posix()!r} leads out of the provider's folder",
                    reason=Reason.SOURCE_NOT_TRUSTED,
                    hint="what a provider needs stands in its own folder; ask its author to copy it there",
                )


def _open(folder: Path) -> None:
    """Lets sidecars with users of their own read the code, whatever the umask; the state folder says who gets there."""
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _stays(link: Path, target: str) -> bool:
    """Whether the text of a link never climbs above the top."""
    depth = len(link.parts) - 1
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return False
    return not target.startswith("/")


def fingerprint(folder: Path) -> str:
    """SHA-256 over all there is in a folder: names, kinds, contents. Nothing is left out, unlike in `content_hash`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            kind, content = f"file {bool(mode & 0o100)}", path.read_bytes()
        else:
            kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "other"
            content = os.fsencode(os.readlink(path)) if kind == "link" else b""
        name = os.fsencode(path.relative_to(folder))
        digest.update(b"%d %b %b %d " % (len(name), name, kind.encode(), len(content)) + content)
    return digest.hexdigest()


def folder_name(origin: str) -> str:
    """A readable name for the folder of a checkout."""
    name = re.split(r"[/:]", origin)[-1]
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".-")[:60] or "provider"


def no_room(why: str) -> PreconditionError:
    """What could not be written, as an error."""
    full = "no space left" in why.lower() or "disk quota" in why.lower()
    return PreconditionError(
        "the disk is full: the source could not be fetched" if full else f"the source could not be kept: {why}",
        reason=Reason.BUILD_FAILED,
        hint="free some space, then load it again" if full else "mend the state folder, then load it again",
        metadata={"step": "fetch"},
    )


def _slug(repository: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", re.sub(r"^\w+://|^[\w.-]+@", "", repository)).strip("-.")
    return f"{readable[:80]}-{_digest(repository)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
