"""Numbers of users, and what a user can reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit_broker.isolation.interpreter import homes
from mediaconduit_broker.isolation.reach import closed_source, obstacle
from mediaconduit_broker.isolation.users import Users

SOMEBODY = 61234


def test_a_number_is_kept_over_restarts_and_shared_by_nobody(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    given = {name: Users(file, 61000, 61003).of(name) for name in ("a", "b", "c", "d")}
    assert sorted(given.values(), key=str) == [61000, 61001, 61002, 61003]
    users = Users(file, 61000, 61003)
    assert {name: users.of(name) for name in reversed(given)} == given
    assert users.of("one too many") is None
    users.forget("b")
    assert users.of("one too many") == given["b"]


def test_a_number_outside_a_changed_range_is_given_anew(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    assert Users(file, 61000, 61000).of("a") == 61000
    assert Users(file, 62000, 62000).of("a") == 62000


def test_a_damaged_file_starts_over(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    file.write_text("[")
    assert Users(file, 61000, 61000).of("a") == 61000


def test_two_state_folders_begin_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    names = [f"provider-{number}" for number in range(20)]
    one, other = Users(tmp_path / "u", 61000, 61999), Users(tmp_path / "other" / "u", 61000, 61999)
    assert [one.of(name) for name in names] != [other.of(name) for name in names]


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder with everything in it open; what is above is pytest's own."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("mode", "stands_in_the_way"), [(0o755, False), (0o711, True), (0o705, False), (0o700, True), (0o744, True)]
)
def test_a_folder_needs_reading_and_passing(open_folder: Path, mode: int, stands_in_the_way: bool) -> None:
    open_folder.chmod(mode)
    assert obstacle(open_folder, SOMEBODY, from_root=False) == (open_folder if stands_in_the_way else None)
    open_folder.chmod(0o755)


def test_its_own_folder_is_open_to_a_user(open_folder: Path) -> None:
    open_folder.chmod(0o700)
    assert obstacle(open_folder, os.getuid(), from_root=False) is None


def test_the_way_is_looked_at_through_links(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "in").mkdir(parents=True)
    closed.chmod(0o700)
    (tmp_path / "link").symlink_to("closed/in")
    tmp_path.chmod(0o755)
    found = obstacle(tmp_path / "link", SOMEBODY)
    # Whatever is closed first: a folder of the machine's above, or ours.
    assert found == closed or (found is not None and found in tmp_path.parents)
    assert obstacle(Path("/usr/bin"), SOMEBODY) is None
    assert obstacle(tmp_path / "absent", SOMEBODY) is not None


def test_code_that_is_closed_closes_its_repository(open_folder: Path) -> None:
    (open_folder / "pkg").mkdir(mode=0o755)
    code = open_folder / "pkg" / "code.py"
    code.write_text("")
    code.chmod(0o644)
    (open_folder / ".env").write_text("KEY=1")
    (open_folder / ".env").chmod(0o600)
    assert closed_source(open_folder, SOMEBODY, from_root=False) is None
    code.chmod(0o600)
    assert closed_source(open_folder, SOMEBODY, from_root=False) == code


def test_an_environment_s_interpreter_lives_in_several_places(tmp_path: Path) -> None:
    base, environment = tmp_path / "python", tmp_path / "env"
    for home in (base, environment):
        (home / "bin").mkdir(parents=True)
    (base / "bin" / "python3").write_text("")
    (environment / "bin" / "python").symlink_to(base / "bin" / "python3")
    assert homes(environment / "bin" / "python") == (environment, base)
    (environment / "bin" / "system").symlink_to("/usr/bin/env")
    assert homes(environment / "bin" / "system") == (environment,)
    assert homes(Path("/bin/sh")) == ()
