"""Control groups below the broker's own, version 1 or 2: limits, who is in them, whether memory ran out."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit_broker.isolation.policy import Bounds

CONTROLLERS: Final = ("memory", "pids", "cpu")
_PERIOD: Final = 100_000
_PREFIX: Final = "mediaconduit-"
_LEAF: Final = "broker"
_NEW_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where the broker is for one controller."""

    folder: Path
    version: int


class Cgroups:
    """What can be made below the broker's own groups.

    Args:
        hierarchies: By controller.
    """

    def __init__(self, hierarchies: Mapping[str, Hierarchy]) -> None:
        self._hierarchies = dict(hierarchies)

    @property
    def controllers(self) -> frozenset[str]:
        """Which of "memory", "pids", "cpu" can be limited."""
        return frozenset(self._hierarchies)

    @classmethod
    def detect(cls, proc: Path = Path("/proc/self"), *, change: bool = True) -> Cgroups | None:
        """Those that groups can be made below; None when there are none.

        Args:
            proc: What is known of this process.
            change: Whether to switch on what is delegated to us; in version 2 this process then moves one level down.
        """
        try:
            found = own_groups((proc / "cgroup").read_text(), (proc / "mountinfo").read_text())
        except OSError:
            return None
        found = {name: _above_ours(place) for name, place in found.items()}
        usable = {name: place for name, place in found.items() if _usable(name, place, change=change)}
        return cls(usable) if usable else None

    def clear(self) -> None:
        """Removes what brokers that were killed left behind; groups somebody is in stay, and so do new ones: another
        broker may have made them a moment ago for a sidecar that is about to enter."""
        for folder in {place.folder for place in self._hierarchies.values()}:
            for left in folder.glob(f"{_PREFIX}*"):
                with contextlib.suppress(OSError):
                    if time.time() - left.stat().st_ctime > _NEW_SECONDS:
                        left.rmdir()

    def make(self, name: str, bounds: Bounds) -> Cgroup:
        """A new group with these limits.

        Raises:
            OSError: It could not be made; nothing is left of it.
        """
        group = Cgroup({key: place.folder / f"{_PREFIX}{name}" for key, place in self._hierarchies.items()})
        try:
            for key, place in self._hierarchies.items():
                folder = group.folders[key]
                folder.mkdir(exist_ok=True)
                for file, value in limit_files(key, place.version, bounds):
                    _write_limit(folder / file, value)
        except OSError:
            group.remove()
            raise
        return group


class Cgroup:
    """One sidecar's group.

    Args:
        folders: By controller; in version 2 all are the same one.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = dict(folders)

    @property
    def entrances(self) -> tuple[Path, ...]:
        """Files that a process enters by, writing its id."""
        return tuple(sorted({folder / "cgroup.procs" for folder in self.folders.values()}))

    def out_of_memory(self) -> bool:
        """Whether the kernel killed for the memory limit."""
        folder = self.folders.get("memory")
        if folder is None:
            return False
        for file in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                match = re.search(r"^oom_kill (\d+)$", (folder / file).read_text(), re.M)
                return match is not None and int(match[1]) > 0
        return False

    def members(self) -> set[int]:
        """Ids of all processes in it, whoever started them and whatever session they are in."""
        found: set[int] = set()
        for file in self.entrances:
            with contextlib.suppress(OSError):
                found.update(map(int, file.read_text().split()))
        return found

    def kill(self) -> None:
        """SIGKILL to everything in it, also to what is forked meanwhile."""
        for _ in range(20):
            members = self.members()
            if not members:
                return
            for pid in members:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def remove(self, *, within: float = 0.0) -> None:
        """Kills what is in it and removes it. The kernel takes a moment to let go of the dead.

        Args:
            within: Seconds to try for; what is still there then is removed by the next broker.
        """
        self.kill()
        deadline = time.monotonic() + within
        for folder in set(self.folders.values()):
            while not _removed(folder) and time.monotonic() < deadline:
                time.sleep(0.002)


def limit_files(controller: str, version: int, bounds: Bounds) -> Iterator[tuple[str, str]]:
    """Files of a group and what to write into them."""
    if controller == "memory" and bounds.memory_bytes:
        size = str(bounds.memory_bytes)
        if version == 2:
            yield from (("memory.max", size), ("memory.swap.max", "0"), ("memory.oom.group", "1"))
        else:
            yield from (("memory.limit_in_bytes", size), ("memory.memsw.limit_in_bytes", size))
    if controller == "pids" and bounds.processes:
        yield "pids.max", str(bounds.processes)
    if controller == "cpu" and bounds.cpus:
        quota = max(1000, int(bounds.cpus * _PERIOD))
        if version == 2:
            yield "cpu.max", f"{quota} {_PERIOD}"
        else:
            yield from (("cpu.cfs_period_us", str(_PERIOD)), ("cpu.cfs_quota_us", str(quota)))


def own_groups(cgroup: str, mountinfo: str) -> dict[str, Hierarchy]:
    """Where a process is, by controller.

    Args:
        cgroup: Its /proc/PID/cgroup.
        mountinfo: Its /proc/PID/mountinfo.
    """
    mounts = list(_mounts(mountinfo))
    found: dict[str, Hierarchy] = {}
    for line in cgroup.splitlines():
        _, names, path = line.split(":", 2)
        for controller in names.split(",") if names else CONTROLLERS:
            if controller not in CONTROLLERS or (not names and controller in found):
                continue
            place = next(
                (
                    Hierarchy(Path(point) / os.path.relpath(path, root), 1 if names else 2)
                    for kind, options, root, point in mounts
                    if (kind == "cgroup" and controller in options if names else kind == "cgroup2")
                    and Path(path).is_relative_to(root)
                ),
                None,
            )
            if place is not None:
                found[controller] = place
    return found


def _mounts(mountinfo: str) -> Iterator[tuple[str, list[str], str, str]]:
    """(kind, options, root, mount point) of every file system."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split()[:3]
        yield kind, options.split(","), fields[3], fields[4]


def _above_ours(place: Hierarchy) -> Hierarchy:
    """Where we were before we moved down, had we done that already."""
    moved = place.version == 2 and place.folder.name == _LEAF and (place.folder.parent / "cgroup.procs").exists()
    return Hierarchy(place.folder.parent, 2) if moved else place


def _usable(controller: str, place: Hierarchy, *, change: bool) -> bool:
    if not os.access(place.folder, os.W_OK):
        return False
    if place.version == 1:
        return True
    return _delegated(controller, place.folder, change=change)


def _delegated(controller: str, folder: Path, *, change: bool) -> bool:
    """Whether groups below may limit this; in version 2 that needs a group without processes of its own."""
    try:
        if controller in (folder / "cgroup.subtree_control").read_text().split():
            return True
        if controller not in (folder / "cgroup.controllers").read_text().split():
            return False
        alone = set(map(int, (folder / "cgroup.procs").read_text().split())) == {os.getpid()}
        if not change:
            return alone
        if alone:
            # As with systemd's Delegate=yes: the group is the broker's alone, which moves one level down.
            (folder / _LEAF).mkdir(exist_ok=True)
            (folder / _LEAF / "cgroup.procs").write_text(str(os.getpid()))
        (folder / "cgroup.subtree_control").write_text(f"+{controller}")
    except OSError:
        return False
    return True


def _write_limit(file: Path, value: str) -> None:
    """Swap and group kills may be switched off in the kernel: those files are not always there."""
    optional = file.name in ("memory.memsw.limit_in_bytes", "memory.swap.max", "memory.oom.group")
    if optional and not file.exists():
        return
    file.write_text(value)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
