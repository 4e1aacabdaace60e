"""Reads a repository, judges it, and puts the new manifest beside the old one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit.errors import InvalidRequestError, PreconditionError

from mediaconduit_broker.manifest.read import NAMES, parse_manifest
from mediaconduit_broker.migration.facts import Repository, read_repository
from mediaconduit_broker.migration.findings import Finding, Kind, findings
from mediaconduit_broker.migration.modern import id_of, render

NEW: Final = "MediaConduit.provider.new.yml"
OLD: Final = "MediaConduit.provider.original.yml"
_NOT_COPIED: Final = shutil.ignore_patterns(".git", "node_modules", "dist")


@dataclass(frozen=True, slots=True)
class Migration:
    """What becomes of a repository."""

    repository: Repository
    findings: tuple[Finding, ...]
    manifest: str
    """The new manifest; empty when there is nothing to migrate."""

    @property
    def provider_id(self) -> str:
        """Its id from now on."""
        return id_of(self.repository)

    @property
    def runs(self) -> bool:
        """Whether it will run once it has what it needs."""
        return bool(self.manifest) and not any(finding.kind is Kind.BREAKS for finding in self.findings)


def plan(folder: Path, name: str = "") -> Migration:
    """Reads and judges; changes nothing.

    Raises:
        NotFoundError: It is no repository of the original.
        PreconditionError: Its manifest cannot be read.
        InvalidRequestError: It has the new manifest already.
    """
    repository = read_repository(folder, name)
    if "runtime" in repository.manifest:
        raise InvalidRequestError.at(
            "SOURCE",
            f"{repository.manifest_file} says its runtime: it is a manifest of today already",
            hint="`mediaconduit test` checks the provider",
        )
    text = "" if repository.is_service else render(repository)
    if text:
        parse_manifest(text)  # what is written can be loaded
    return Migration(repository, tuple(findings(repository)), text)


def place(migration: Migration, folder: Path, *, replace: bool) -> list[Path]:
    """Writes the new manifest; gives the files written or moved.

    Args:
        migration: With a manifest.
        folder: The repository.
        replace: Put it in the place of the old one, which is kept under another name; else beside it.

    Raises:
        PreconditionError: The old manifest has been kept before.
    """
    if not replace:
        target = folder / (NEW if migration.repository.manifest_file else NAMES[0])
        target.write_text(migration.manifest, encoding="utf-8")
        return [target]
    written = []
    if old := migration.repository.manifest_file:
        kept = folder / OLD
        if kept.exists():
            raise PreconditionError(f"{OLD} is there already", hint="it was migrated before; remove one of the two")
        (folder / old).rename(kept)
        written.append(kept)
    (folder / NEW).unlink(missing_ok=True)
    target = folder / NAMES[0]
    target.write_text(migration.manifest, encoding="utf-8")
    return [target, *written]


def copy(source: Path, target: Path) -> None:
    """Copies a repository that was fetched to a folder of its own.

    Raises:
        InvalidRequestError: The folder is there already.
    """
    if target.exists():
        raise InvalidRequestError.at("--in", f"{target} is there already", hint="nothing was changed; name another")
    shutil.copytree(source, target, ignore=_NOT_COPIED, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)  # what was fetched is kept read-only
