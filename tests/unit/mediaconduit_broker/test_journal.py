"""What is written down of sidecars."""

from pathlib import Path

import pytest
from mediaconduit_broker.isolation import Bounds, Cell, Cgroup, Policy
from mediaconduit_broker.runners import Launch
from mediaconduit_broker.runners.journal import Journal, Record, fingerprint


def launch(**changes: object) -> Launch:
    fields = {
        "provider_id": "mine",
        "version": "1",
        "command": ["/envs/key/bin/python", "-m", "x"],
        "folder": Path("/code"),
        "instance": "nonce",
        "variables": {"A": "b"},
    }
    return Launch(**(fields | changes))  # type: ignore[arg-type]


def cell(folder: Path) -> Cell:
    return Cell(
        command=["bwrap", "x"],
        variables={},
        socket=folder / "s",
        policy=Policy(),
        uid=7,
        sandboxed=True,
        group=Cgroup({"memory": Path("/cg/m")}),
        warnings=("none",),
        folders=(folder,),
    )


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    record = Record.of(launch(), cell(tmp_path / "c"))
    journal.write(record)
    assert Journal(tmp_path).all() == [record]
    spawned = journal.spawned(record, 5, "boot:1")
    assert Journal(tmp_path).all() == [spawned]
    assert (spawned.pid, spawned.identity, spawned.environment) == (5, "boot:1", "key")
    journal.forget(spawned)
    assert journal.all() == []


def test_a_cell_can_be_made_again_from_its_record(tmp_path: Path) -> None:
    made = cell(tmp_path / "c")
    again = Record.of(launch(), made).cell(Policy())
    assert (again.socket, again.folders, again.uid, again.sandboxed, again.warnings) == (
        made.socket, made.folders, made.uid, made.sandboxed, made.warnings
    )  # fmt: skip
    assert again.group is not None and made.group is not None
    assert again.group.folders == made.group.folders


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(Record.of(launch(), cell(tmp_path)))
    (file,) = (tmp_path / "instances").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"provider_id": "mine"}', "\udcff"])
def test_a_record_that_cannot_be_read_is_removed(tmp_path: Path, text: str) -> None:
    journal = Journal(tmp_path)
    good = Record.of(launch(), cell(tmp_path / "c"))
    journal.write(good)
    broken = tmp_path / "instances" / "broken.json"
    broken.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert journal.all() == [good]
    assert not broken.exists()


def test_a_half_written_one_is_removed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    half = tmp_path / "instances" / "x.new"
    half.write_text("{")
    assert journal.all() == []
    assert not half.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"provider_id": "other"},
        {"version": "2"},
        {"command": ["/envs/other/bin/python", "-m", "x"]},
        {"folder": Path("/other")},
        {"variables": {"A": "c"}},
        {"policy": Policy(bounds=Bounds(open_files=9))},
    ],
)
def test_another_launch_has_another_fingerprint(changes: dict[str, object]) -> None:
    assert fingerprint(launch()) == fingerprint(launch(instance="another"))
    assert fingerprint(launch()) != fingerprint(launch(**changes))


def test_folders_of_the_broker_before_count_while_they_are_ours(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.folders() == ()
    ours = [tmp_path / "a", tmp_path / "b"]
    for folder in ours:
        folder.mkdir(mode=0o711)
    journal.remember_folders(ours)
    assert Journal(tmp_path).folders() == tuple(ours)
    ours[1].chmod(0o777)  # whoever made this again is not us
    assert journal.folders() == ()
    ours[1].chmod(0o700)
    ours[0].rmdir()
    assert journal.folders() == ()
    journal.remove_folders()
    assert not ours[1].exists()


def test_a_record_of_a_process_id_that_another_has_now_kills_nobody(tmp_path: Path) -> None:
    import os

    journal = Journal(tmp_path)
    record = Record.of(launch(instance="of-nobody"), cell(tmp_path / "c"))
    journal.spawned(record, os.getpid(), "boot:1")
    assert journal.end_leftovers(journal.all()) == 0
    assert journal.all() == []
