"""Where control groups are, and what is written into them."""

from __future__ import annotations

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
