"""Where control groups are, and what is written into them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit_broker.isolation import Bounds
from mediaconduit_broker.isolation.cgroups import Cgroup, Cgroups, Hierarchy, limit_files, own_groups

ALL = ("memory", "pids", "cpu")
V1 = """\
25 24 0:21 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
26 24 0:22 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
27 24 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
DOCKER = "900 880 0:26 /docker/ab12 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"


@pytest.mark.parametrize(
    ("cgroup", "mounts", "found"),
    [
        ("0::/system.slice/mc.service\n", V2, dict.fromkeys(ALL, ("/sys/fs/cgroup/system.slice/mc.service", 2))),
        ("0::/\n", V2, dict.fromkeys(ALL, ("/sys/fs/cgroup", 2))),
        (
            "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/\n",
            V1,
            {
                "memory": ("/sys/fs/cgroup/memory/a/b", 1),
                "cpu": ("/sys/fs/cgroup/cpu,cpuacct", 1),
                "pids": ("/sys/fs/cgroup/unified", 2),
            },
        ),
        # A container sees the host's path in one file and mounts only its own part.
        ("4:memory:/docker/ab12\n", DOCKER, {"memory": ("/sys/fs/cgroup/memory", 1)}),
        ("4:memory:/elsewhere\n", DOCKER, {}),
        ("", "", {}),
    ],
)
def test_the_broker_s_own_groups_are_found(cgroup: str, mounts: str, found: dict[str, tuple[str, int]]) -> None:
    assert {name: (str(place.folder), place.version) for name, place in own_groups(cgroup, mounts).items()} == found


@pytest.mark.parametrize(
    ("controller", "version", "files"),
    [
        ("memory", 1, {"memory.limit_in_bytes": "1000", "memory.memsw.limit_in_bytes": "1000"}),
        ("memory", 2, {"memory.max": "1000", "memory.swap.max": "0", "memory.oom.group": "1"}),
        ("pids", 1, {"pids.max": "50"}),
        ("pids", 2, {"pids.max": "50"}),
        ("cpu", 1, {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "150000"}),
        ("cpu", 2, {"cpu.max": "150000 100000"}),
    ],
)
def test_limits_are_files_of_the_version(controller: str, version: int, files: dict[str, str]) -> None:
    bounds = Bounds(memory_bytes=1000, processes=50, cpus=1.5)
    assert dict(limit_files(controller, version, bounds)) == files
    assert dict(limit_files(controller, version, Bounds())) == {}


def test_a_group_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    closed = tmp_path / "file"
    closed.write_text("")
    groups = Cgroups({"pids": Hierarchy(tmp_path / "pids", 1), "memory": Hierarchy(closed, 1)})
    with pytest.raises(NotADirectoryError):
        groups.make("x", Bounds())
    assert list((tmp_path / "pids").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "text", "killed"),
    [
        ("memory.events", "low 0\nmax 12\noom 2\noom_kill 1\n", True),
        ("memory.events", "low 0\nmax 12\noom 0\noom_kill 0\n", False),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", True),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", False),
        ("other", "", False),
    ],
)
def test_the_kernel_says_whether_it_killed_for_memory(tmp_path: Path, file: str, text: str, killed: bool) -> None:
    (tmp_path / file).write_text(text)
    assert Cgroup({"memory": tmp_path}).out_of_memory() is killed


def test_one_group_for_all_controllers_is_entered_once(tmp_path: Path) -> None:
    one = Cgroup({"memory": tmp_path / "a", "pids": tmp_path / "a"})
    assert one.entrances == (tmp_path / "a" / "cgroup.procs",)


@pytest.fixture
def delegated(tmp_path: Path) -> tuple[Path, Path]:
    """The files of a version 2 group that is the broker's alone: what the kernel shows of it, and the group."""
    group, proc = tmp_path / "group", tmp_path / "proc"
    group.mkdir()
    proc.mkdir()
    (proc / "cgroup").write_text("0::/\n")
    (proc / "mountinfo").write_text(f"29 23 0:26 / {group} rw - cgroup2 cgroup2 rw\n")
    (group / "cgroup.controllers").write_text("cpu memory pids\n")
    (group / "cgroup.subtree_control").write_text("\n")
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    return proc, group


def test_a_delegated_group_is_divided_once_the_broker_has_moved_down(delegated: tuple[Path, Path]) -> None:
    proc, group = delegated
    found = Cgroups.detect(proc)
    assert found is not None
    assert found.controllers == set(ALL)
    assert (group / "broker" / "cgroup.procs").read_text() == str(os.getpid())
    assert (group / "cgroup.subtree_control").read_text() in {"+memory", "+pids", "+cpu"}

    (proc / "cgroup").write_text("0::/broker\n")
    (group / "cgroup.subtree_control").write_text("memory pids cpu\n")
    again = Cgroups.detect(proc)
    assert again is not None
    assert {place.parent for place in again.make("x", Bounds()).folders.values()} == {group}


def test_looking_changes_nothing(delegated: tuple[Path, Path]) -> None:
    proc, group = delegated
    found = Cgroups.detect(proc, change=False)
    assert found is not None
    assert found.controllers == set(ALL)
    assert not (group / "broker").exists()
    assert (group / "cgroup.subtree_control").read_text() == "\n"


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("cgroup.controllers", "cpu io\n", {"cpu"}),
        ("cgroup.controllers", "\n", None),
        ("cgroup.subtree_control", "memory pids\n", {"memory", "pids"}),
    ],
)
def test_only_what_is_delegated_counts(
    delegated: tuple[Path, Path], file: str, text: str, found: set[str] | None
) -> None:
    proc, group = delegated
    if file == "cgroup.subtree_control":
        (group / "cgroup.controllers").write_text("\n")
    (group / file).write_text(text)
    groups = Cgroups.detect(proc)
    assert (groups and groups.controllers) == found


def test_a_group_gets_the_limits_asked_for(delegated: tuple[Path, Path]) -> None:
    proc, group = delegated
    groups = Cgroups.detect(proc)
    assert groups is not None
    made = groups.make("x", Bounds(memory_bytes=1000, processes=5))
    (folder,) = set(made.folders.values())
    assert folder.parent == group
    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "pids.max").read_text() == "5"
    # A folder of the kernel's has these already, and has more: what is switched off there is not written.
    assert not (folder / "memory.swap.max").exists()
