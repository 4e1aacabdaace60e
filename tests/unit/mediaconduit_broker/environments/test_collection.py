"""What is in use stays; of the rest the least recently used goes first."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from mediaconduit_broker.environments.collection import (
    StoredEnvironment,
    over_cap,
    remove,
    remove_leftovers,
    survey,
)
from mediaconduit_broker.environments.lease import Lease
from mediaconduit_broker.environments.record import EnvironmentRecord


def stored(name: str, size: int, *, in_use: bool = False) -> StoredEnvironment:
    return StoredEnvironment(folder=Path(name), key=name, provider_id=name, size_bytes=size, last_used=0, in_use=in_use)


def make(root: Path, name: str, used: float, size: int = 10) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    EnvironmentRecord(
        key=name, provider_id="mine", interpreter="", packages=(), size_bytes=size, build_time=0, build_seconds=0
    ).write(folder)
    os.utime(folder, (used, used))
    return folder


def taken(folder: Path, *, alone: bool = False) -> Lease:
    lease = Lease.take(folder, alone=alone)
    assert lease is not None
    return lease


@pytest.mark.parametrize(
    ("cap", "gone"),
    [(0, ""), (100, ""), (60, ""), (59, "a"), (50, "a"), (49, "ac"), (1, "acd")],
)
def test_the_least_recently_used_that_nobody_uses_go(cap: int, gone: str) -> None:
    environments = [stored("a", 10), stored("b", 20, in_use=True), stored("c", 10), stored("d", 20)]
    assert "".join(environment.key for environment in over_cap(environments, cap)) == gone


def test_a_survey_lists_them_least_recently_used_first(tmp_path: Path) -> None:
    make(tmp_path, "new", 300)
    lease = taken(make(tmp_path, "held", 200))
    make(tmp_path, "old", 100)
    (tmp_path / ".staging").mkdir()
    try:
        found = survey(tmp_path)
    finally:
        lease.release()
    assert [(one.key, one.in_use, one.last_used) for one in found] == [
        ("old", False, 100),
        ("held", True, 200),
        ("new", False, 300),
    ]
    assert survey(tmp_path / "nothing") == []


def test_what_a_process_runs_from_is_in_use_though_nobody_holds_it(tmp_path: Path) -> None:
    folder, other = make(tmp_path, "one", 100), make(tmp_path, "other", 200)
    (folder / "cat").symlink_to("/bin/cat")
    processes = [
        subprocess.Popen([folder / "cat"], stdin=subprocess.PIPE),
        subprocess.Popen(["/bin/cat"], cwd=other, stdin=subprocess.PIPE),
    ]
    try:
        assert [one.in_use for one in survey(tmp_path)] == [True, True]
    finally:
        for process in processes:
            process.communicate()
    assert [one.in_use for one in survey(tmp_path)] == [False, False]


def test_looking_is_not_using(tmp_path: Path) -> None:
    folder = make(tmp_path, "one", 100)
    survey(tmp_path)
    assert folder.stat().st_mtime == 100
    lease = taken(folder)
    lease.touch()
    lease.release()
    assert folder.stat().st_mtime > 100


def test_one_in_use_is_not_removed(tmp_path: Path) -> None:
    folder = make(tmp_path, "one", 100)
    first, second = taken(folder), taken(folder)
    first.release()
    assert not remove(folder)
    second.release()
    assert remove(folder)
    assert list(tmp_path.iterdir()) == []
    assert not remove(folder)


def test_whoever_comes_while_it_is_removed_gets_none(tmp_path: Path) -> None:
    folder = make(tmp_path, "one", 100)
    lease = taken(folder, alone=True)
    assert Lease.take(folder) is None
    folder.rename(tmp_path / ".removed")
    lease.release()
    assert Lease.take(folder) is None


def test_what_is_being_built_is_no_leftover(tmp_path: Path) -> None:
    for name in (".dead", ".alive", "finished"):
        (tmp_path / name).mkdir()
    lease = taken(tmp_path / ".alive", alone=True)
    try:
        assert remove_leftovers(tmp_path) == 1
    finally:
        lease.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".alive", "finished"]
