"""What is written down of every sidecar before it starts, so that a broker that was killed leaves nothing behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mediaconduit_broker.isolation import Cell, Cgroup, Policy
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.runners.base import Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One sidecar. No secrets: those travel by Configure."""

    provider_id: str
    instance: str
    """Its nonce."""
    command: tuple[str, ...]
    folder: str
    """The checkout it runs in."""
    environment: str
    """Key of its environment: the folder of the program it runs."""
    fingerprint: str
    """Of all that a launch says but the nonce: who starts the same again may use this one."""
    socket: str
    folders: tuple[str, ...]
    """Of its own, for its socket and its temporary files."""
    groups: dict[str, str] = field(default_factory=dict)
    """Its control groups, by controller."""
    uid: int | None = None
    sandboxed: bool = False
    warnings: tuple[str, ...] = ()
    pid: int = 0
    """0 until it is spawned."""
    identity: str = ""
    """Which process of that id (`keeper.processes.identity`)."""

    @classmethod
    def of(cls, launch: Launch, cell: Cell) -> Record:
        """Before it is started."""
        groups = cell.group.folders if cell.group is not None else {}
        return cls(
            provider_id=launch.provider_id,
            instance=launch.instance,
            command=tuple(launch.command),
            folder=str(launch.folder),
            environment=Path(launch.command[0]).parent.parent.name,
            fingerprint=fingerprint(launch),
            socket=str(cell.socket),
            folders=tuple(map(str, cell.folders)),
            groups={key: str(folder) for key, folder in groups.items()},
            uid=cell.uid,
            sandboxed=cell.sandboxed,
            warnings=cell.warnings,
        )

    def cell(self, policy: Policy) -> Cell:
        """What was made for it, for whoever takes it over."""
        return Cell(
            command=list(self.command),
            variables={},
            socket=Path(self.socket),
            policy=policy,
            uid=self.uid,
            sandboxed=self.sandboxed,
            group=Cgroup({key: Path(folder) for key, folder in self.groups.items()}) if self.groups else None,
            warnings=self.warnings,
            folders=tuple(map(Path, self.folders)),
        )


class Journal:
    """One file for each sidecar, and one for the folders they share, written whole or not at all.

    Args:
        root: The state folder.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "instances"
        self._shared = root / "sockets.json"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, record: Record) -> None:
        """To be called before the process is started."""
        _write(self._path(record), asdict(record))

    def spawned(self, record: Record, pid: int, identity: str) -> Record:
        """It runs."""
        record = replace(record, pid=pid, identity=identity)
        self.write(record)
        return record

    def forget(self, record: Record) -> None:
        """It has ended, and all that was its own is gone."""
        with contextlib.suppress(OSError):
            self._path(record).unlink()

    def all(self) -> list[Record]:
        """Those that were not forgotten. A file that cannot be read is of no use to anybody, and removed."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(_decoded(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                path.unlink(missing_ok=True)
        for unfinished in self._folder.glob("*.new"):
            unfinished.unlink(missing_ok=True)
        return found

    def end_leftovers(self, records: Iterable[Record], seconds: float = 5.0) -> int:
        """Kills what still runs of these, waits until it is gone and frees what was theirs; gives how many did run.

        Works without a live one, and without whoever started it. Blocks.
        """
        count = 0
        for record in records:
            leader = record.pid if processes.running(record.pid, record.identity) else 0
            count += bool(processes.family(record.instance, leader, record.identity))
            if processes.end_family(record.instance, leader, record.identity, seconds):
                record.cell(Policy()).remove()
                self.forget(record)
        return count

    def remember_folders(self, folders: Sequence[Path]) -> None:
        """Where sockets and temporary files of all sidecars are."""
        _write(self._shared, [str(folder) for folder in folders])

    def folders(self) -> tuple[Path, ...]:
        """Those of the broker before, which are still there and ours alone to write to; () when one is not."""
        found = self._remembered()
        return found if all(map(_is_own, found)) else ()

    def remove_folders(self) -> None:
        """Removes those of the broker before. All sidecars have been stopped before."""
        for folder in filter(_is_own, self._remembered()):
            shutil.rmtree(folder, ignore_errors=True)
        self._shared.unlink(missing_ok=True)

    def _remembered(self) -> tuple[Path, ...]:
        try:
            return tuple(map(Path, json.loads(self._shared.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            return ()

    def _path(self, record: Record) -> Path:
        return self._folder / f"{record.instance}.json"


def fingerprint(launch: Launch) -> str:
    """Of all that a launch says but the nonce."""
    said = (launch.provider_id, launch.version, list(launch.command), str(launch.folder), repr(launch.policy))
    return hashlib.sha256(json.dumps([*said, sorted(launch.variables.items())]).encode()).hexdigest()


def _decoded(raw: dict[str, Any]) -> Record:
    known = {one.name: raw[one.name] for one in fields(Record)}
    tuples = {key: tuple(value) for key, value in known.items() if isinstance(value, list)}
    return Record(**{**known, **tuples})


def _write(path: Path, content: Any) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    Path(name).replace(path)


def _is_own(folder: Path) -> bool:
    """A temporary folder may have been emptied, and made again by somebody else."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
