"""Which loads pass, given an allow-list, a lock and what was fetched."""

from dataclasses import replace
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.sources import Checkout
from mediaconduit_broker.trust import AllowedFile, Gate, TrustPolicy, lockfile
from mediaconduit_broker.trust.gate import described
from mediaconduit_broker.trust.lockfile import lock_of

OLD, NEW = "a" * 40, "b" * 40
COW = "github:acme/cow@v1"


def checkout(tmp_path: Path, commit: str = OLD, ref: str = "refs/tags/v1", text: str = "id: cow\n") -> Checkout:
    folder = tmp_path / "checkout"
    folder.mkdir(exist_ok=True)
    (folder / "MediaConduit.provider.yml").write_text(text)
    return Checkout(COW, f"github:acme/cow@{commit}", folder, "github:acme/cow", commit, ref, tree=commit[::-1])


def gate(tmp_path: Path, *, frozen: bool = False) -> Gate:
    policy = TrustPolicy(["github:acme/*"], AllowedFile(tmp_path / "state"), own_folders=True)
    return Gate(policy, tmp_path / "mediaconduit.lock", base=tmp_path, frozen=frozen)


def lock(tmp_path: Path, *names: str, source: str = COW) -> None:
    entry = described(replace(checkout(tmp_path), source=source), "cow")
    entries = [type(entry)(**{**_fields(entry), "id": name}) for name in names or ("cow",)]
    lockfile.write(tmp_path / "mediaconduit.lock", lock_of(entries))


def _fields(entry: lockfile.Locked) -> dict[str, object]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


@pytest.mark.parametrize("frozen", [True, False])
def test_a_source_that_is_not_allowed_is_refused_whatever_the_lock_says(tmp_path: Path, frozen: bool) -> None:
    lock(tmp_path, source="github:other/cow@v1")
    with pytest.raises(PreconditionError, match="not trusted"):
        gate(tmp_path, frozen=frozen).admit("github:other/cow@v1", by_operator=True)


def test_without_a_lock_a_source_is_what_it_is_now(tmp_path: Path) -> None:
    made = gate(tmp_path)
    admission = made.admit(COW)
    assert admission.pinned == ""
    assert made.confirm(admission, checkout(tmp_path, NEW), "cow") is None


def test_frozen_a_source_is_what_is_locked_however_it_is_written(tmp_path: Path) -> None:
    lock(tmp_path)
    made = gate(tmp_path, frozen=True)
    for source in (COW, "https://github.com/acme/cow.git@v1"):
        admission = made.admit(source)
        assert admission.pinned == f"github:acme/cow@{OLD}"
        assert made.confirm(admission, replace(checkout(tmp_path), source=source, ref=""), "cow") is not None


@pytest.mark.parametrize("source", ["github:acme/cow", "github:acme/cow@v2", "github:acme/cow//sub@v1", "cowsay"])
def test_frozen_another_ref_or_folder_is_not_locked(tmp_path: Path, source: str) -> None:
    lock(tmp_path)
    with pytest.raises(PreconditionError) as caught:
        gate(tmp_path, frozen=True).admit(source)
    assert caught.value.reason is Reason.SOURCE_NOT_TRUSTED
    assert caught.value.metadata == {"source": source, "how_to_allow": f"mediaconduit lock {source}"}


def test_a_request_may_be_frozen_where_the_broker_is_not(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match=r"no mediaconduit\.lock"):
        gate(tmp_path).admit(COW, frozen=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"commit": NEW}, "the tag v1 was moved: aaaaaaaaaaaa → bbbbbbbbbbbb; files"),
        ({"text": "id: cow\nversion: 2\n"}, "manifest: "),
    ],
)
def test_frozen_whatever_differs_is_refused_and_named(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    lock(tmp_path)
    made = gate(tmp_path, frozen=True)
    with pytest.raises(PreconditionError) as caught:
        made.confirm(made.admit(COW), checkout(tmp_path, **changes), "cow")
    assert said in caught.value.message


def test_a_source_may_be_locked_under_several_names_and_no_others(tmp_path: Path) -> None:
    lock(tmp_path, "cow", "calf")
    made = gate(tmp_path, frozen=True)
    for name in ("cow", "calf"):
        locked = made.confirm(made.admit(COW, name), checkout(tmp_path), name)
        assert locked is not None
        assert locked.id == name
    with pytest.raises(PreconditionError, match="nothing of"):
        made.admit(COW, "bull")
    with pytest.raises(PreconditionError, match="locked under the name calf, not bull"):
        made.confirm(made.admit(COW), checkout(tmp_path), "bull")


@pytest.mark.parametrize(("ref", "passes"), [("refs/tags/v1", False), ("refs/heads/v1", True), ("", True)])
def test_unfrozen_only_a_tag_that_was_moved_is_refused(tmp_path: Path, ref: str, passes: bool) -> None:
    lock(tmp_path)
    made = gate(tmp_path)
    admission = made.admit(COW)
    if passes:
        assert made.confirm(admission, checkout(tmp_path, NEW, ref), "cow") is None
        return
    with pytest.raises(PreconditionError, match="the tag v1 was moved from aaaaaaaaaaaa, which is locked, to bbbb"):
        made.confirm(admission, checkout(tmp_path, NEW, ref), "cow")


def test_locked_versions_are_known_unless_the_lock_is_damaged(tmp_path: Path) -> None:
    made = gate(tmp_path)
    assert made.locked_versions() == set()
    lock(tmp_path)
    assert made.locked_versions() == {f"github:acme/cow@{OLD}"}
    (tmp_path / "mediaconduit.lock").write_text("oops")
    assert made.locked_versions() == set()


def test_unfrozen_a_branch_moves_as_branches_do(tmp_path: Path) -> None:
    entry = described(checkout(tmp_path, ref="refs/heads/v1"), "cow")
    lockfile.write(tmp_path / "mediaconduit.lock", lock_of([entry]))
    made = gate(tmp_path)
    assert made.confirm(made.admit(COW), checkout(tmp_path, NEW, "refs/heads/v1"), "cow") is None


def test_a_folder_is_found_in_the_lock_by_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    lock(tmp_path, source="./mine")
    admission = gate(tmp_path, frozen=True).admit(str(folder))
    assert admission.locked is not None
    with pytest.raises(PreconditionError, match="nothing of"):
        gate(tmp_path, frozen=True).admit(str(tmp_path))
