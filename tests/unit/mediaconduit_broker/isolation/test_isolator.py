"""What is decided for a launch, and said where it cannot be done."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit.errors import AccessError
from mediaconduit_broker.isolation import Bounds, Isolator, Machine, Policy
from mediaconduit_broker.isolation.cell import Cell
from mediaconduit_broker.isolation.cgroups import Cgroup
from mediaconduit_broker.isolation.exposure import exposures
from mediaconduit_broker.runners import Exit

COMMAND = [sys.executable, "-c", "pass"]


@pytest.fixture
def isolator(tmp_path: Path) -> Iterator[Isolator]:
    """On a machine that can do nothing."""
    made = Isolator(Machine(), homes=tmp_path / "homes")
    yield made
    made.close()


def test_each_sidecar_has_folders_of_its_own_that_end_with_it(isolator: Isolator, tmp_path: Path) -> None:
    one, other = (isolator.admit("a", nonce, COMMAND, tmp_path) for nonce in ("1" * 32, "2" * 32))
    folders = [one.socket.parent, other.socket.parent, *(Path(cell.variables["TMPDIR"]) for cell in (one, other))]
    assert len(set(folders)) == 4
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert len(str(one.socket)) <= 107
    one.remove()
    assert [folder.exists() for folder in folders] == [False, True, False, True]
    other.remove()


def test_what_it_could_read_is_said(isolator: Isolator, tmp_path: Path) -> None:
    cell = isolator.admit("a", "1" * 32, COMMAND, tmp_path)
    assert any("not isolated" in warning for warning in cell.warnings)
    cell.remove()


@pytest.mark.parametrize(
    ("own_user", "sandboxed", "root", "says"),
    [
        (True, False, True, ()),
        (False, True, True, ()),
        (False, True, False, ()),
        (False, False, True, ("as root", "memory", "sockets")),
        (False, False, False, ("broker's user", "sockets", "as root for a user of its own")),
    ],
)
def test_what_is_in_reach_depends_on_user_and_sandbox(
    own_user: bool, sandboxed: bool, root: bool, says: tuple[str, ...]
) -> None:
    said = " ".join(exposures(own_user=own_user, sandboxed=sandboxed, root=root))
    assert bool(said) is bool(says)
    assert all(part in said for part in says)


def test_a_sandbox_without_bubblewrap_is_refused(isolator: Isolator, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="no bubblewrap"):
        isolator.admit("a", "1" * 32, COMMAND, tmp_path, Policy(sandbox="bubblewrap"))


def test_a_required_user_that_is_not_to_be_had_is_refused(tmp_path: Path) -> None:
    isolator = Isolator(Machine(), mode="required")
    with pytest.raises(AccessError, match="provider a cannot have a user of its own"):
        isolator.admit("a", "1" * 32, COMMAND, tmp_path)
    isolator.close()


def test_a_limit_that_is_not_in_force_is_said(isolator: Isolator, tmp_path: Path) -> None:
    cell = isolator.admit("a", "1" * 32, COMMAND, tmp_path, Policy(bounds=Bounds(cpus=2)))
    assert any("cpus = 2 is not in force" in warning for warning in cell.warnings)
    cell.remove()


def cell_with(group: Cgroup | None, memory: int) -> Cell:
    policy = Policy(bounds=Bounds(memory_bytes=memory))
    return Cell(command=[], variables={}, socket=Path("/s"), policy=policy, group=group)


@pytest.mark.parametrize(
    ("memory", "last", "limit"),
    [
        (5000, ["Traceback", "MemoryError"], "memory_bytes=5000"),
        (5000, ["terminate called after throwing an instance of 'std::bad_alloc'"], "memory_bytes=5000"),
        (5000, ["ValueError"], ""),
        (0, ["MemoryError"], ""),
    ],
)
def test_without_a_control_group_its_last_words_tell_of_memory(memory: int, last: list[str], limit: str) -> None:
    assert cell_with(None, memory).limit_reached(last) == limit


def test_a_control_group_knows_better_than_last_words(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    assert cell_with(Cgroup({"memory": tmp_path}), 5000).limit_reached(["MemoryError"]) == ""
    (tmp_path / "memory.events").write_text("oom_kill 1\n")
    assert cell_with(Cgroup({"memory": tmp_path}), 5000).limit_reached([]) == "memory_bytes=5000"


@pytest.mark.parametrize(
    ("returncode", "wrapped", "exit_"),
    [
        (3, False, Exit(3, None)),
        (-9, False, Exit(None, 9)),
        (137, False, Exit(137, None)),
        (137, True, Exit(None, 9)),
        (70, True, Exit(70, None)),
    ],
)
def test_a_wrapper_s_code_is_read_as_the_signal_it_stands_for(returncode: int, wrapped: bool, exit_: Exit) -> None:
    assert Exit.of(returncode, wrapped=wrapped) == exit_


def test_an_exit_by_a_limit_says_which() -> None:
    assert str(Exit.of(-9, "memory_bytes=5000")) == "killed by SIGKILL: it reached its limit of 5000 memory bytes"
    assert str(Exit.of(3)) == "exited with code 3"
