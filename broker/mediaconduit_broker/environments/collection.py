"""Environments that nobody needs: which they are, and how they go."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mediaconduit_broker.environments.lease import Lease, last_used
from mediaconduit_broker.environments.record import EnvironmentRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnvironment:
    """An environment on disk."""

    folder: Path
    key: str
    provider_id: str
    size_bytes: int
    last_used: float
    """Seconds since the epoch."""
    in_use: bool
    """A broker has its provider loaded, or something runs in it."""


def survey(root: Path) -> list[StoredEnvironment]:
    """All finished environments below a folder, least recently used first."""
    found = []
    alive = _alive(root)
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        record = EnvironmentRecord.read(folder)
        used = last_used(folder)
        lease = Lease.take(folder, alone=True)
        if lease is not None:
            lease.release()
        found.append(
            StoredEnvironment(
                folder=folder,
                key=folder.name,
                provider_id=record.provider_id if record else "",
                size_bytes=record.size_bytes if record else 0,
                last_used=used,
                in_use=lease is None or folder.name in alive,
            )
        )
    return sorted(found, key=lambda environment: environment.last_used)


def _alive(root: Path) -> set[str]:
    """Environments that a process runs from: a detached sidecar outlives the broker that held them for it."""
    found: set[str] = set()
    for process in psutil.process_iter(["cmdline", "cwd"]):
        for text in (*(process.info["cmdline"] or ()), process.info["cwd"] or ""):
            path = Path(text)
            if path.is_absolute():
                for top in {root, root.resolve()}:
                    if path.is_relative_to(top) and path != top:
                        found.add(path.relative_to(top).parts[0])
    return found


def over_cap(environments: Sequence[StoredEnvironment], cap: int) -> list[StoredEnvironment]:
    """Which to remove so that all take at most `cap` bytes: the least recently used, never one in use.

    Args:
        environments: Least recently used first.
        cap: Bytes; 0 = as many as there are.
    """
    excess = sum(environment.size_bytes for environment in environments) - cap
    chosen = []
    for environment in environments if cap > 0 else ():
        if excess <= 0:
            break
        if not environment.in_use:
            chosen.append(environment)
            excess -= environment.size_bytes
    return chosen


def remove(folder: Path) -> bool:
    """Removes an environment, or what an interrupted build left; False when someone uses it now."""
    lease = Lease.take(folder, alone=True)
    if lease is None:
        return False
    # Away first: nobody meets half of one.
    aside = folder.with_name(f".removed-{uuid.uuid4().hex[:8]}")
    try:
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        lease.release()
    return True


def remove_leftovers(root: Path) -> int:
    """Removes what builds left whose process has ended; gives how many."""
    leftovers = [folder for folder in root.iterdir() if folder.name.startswith(".")] if root.is_dir() else []
    return sum(remove(folder) for folder in leftovers if folder.is_dir())
