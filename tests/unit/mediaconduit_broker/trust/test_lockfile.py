from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit_broker.trust import lockfile
from mediaconduit_broker.trust.differences import between, between_locks
from mediaconduit_broker.trust.lockfile import Locked, lock_of, packages_hash

PACKAGES = {"b==1 ; sys_platform == 'win32'": ("sha256:2", "sha256:1"), "a==2": ()}


def entry(name: str = "cow", **changes: object) -> Locked:
    fields: dict[str, object] = {
        "id": name,
        "source": "github:acme/cow@v1",
        "resolved": f"github:acme/cow@{'a' * 40}",
        "ref": "refs/tags/v1",
        "commit": "a" * 40,
        "tree": "b" * 40,
        "manifest": "sha256:" + "c" * 64,
        "packages": PACKAGES,
        "environment": packages_hash(PACKAGES),
    }
    return Locked(**(fields | changes))  # type: ignore[arg-type]


def test_a_lock_reads_back_as_it_was_written(tmp_path: Path) -> None:
    odd = entry("odd", source='./a "quoted" \\ földer\x7f\t', packages={}, environment="", commit="", ref="")
    lock = lock_of([odd, entry()])
    assert lockfile.write(tmp_path / "mediaconduit.lock", lock)
    again = lockfile.read(tmp_path / "mediaconduit.lock")
    assert again is not None
    assert [locked.id for locked in again.provider] == ["cow", "odd"]
    assert again.get("odd") == odd
    assert lockfile.dumps(again) == lockfile.dumps(lock)


def test_a_change_of_one_provider_changes_its_lines_alone() -> None:
    before = lockfile.dumps(lock_of([entry("a"), entry("b"), entry("c")])).splitlines()
    after = lockfile.dumps(lock_of([entry("c"), entry("b", commit="d" * 40), entry("a")])).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(f'commit = "{"a" * 40}"', f'commit = "{"d" * 40}"')]


def test_writing_the_same_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mediaconduit.lock"
    lockfile.write(path, lock_of([entry()]))
    path.chmod(0o640)
    before = path.stat().st_mtime_ns
    assert not lockfile.write(path, lock_of([entry()]))
    assert path.stat().st_mtime_ns == before
    assert lockfile.write(path, lock_of([entry("other")]))
    assert path.stat().st_mode & 0o777 == 0o640
    assert [found.name for found in tmp_path.iterdir()] == ["mediaconduit.lock"]


def test_no_lock_is_none(tmp_path: Path) -> None:
    assert lockfile.read(tmp_path / "mediaconduit.lock") is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("version = 2", "version 2"),
        ("oops", "no lock"),
        ("version = 1\nextra = 1", "extra"),
        ('version = 1\n[[provider]]\nid = "x"', "source"),
    ],
)
def test_what_is_no_lock_says_why(damage: str, said: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        lockfile.loads(damage)
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert said in caught.value.message
    assert "mediaconduit lock" in caught.value.hint


def test_an_edited_package_is_noticed() -> None:
    text = lockfile.dumps(lock_of([entry()])).replace("a==2", "a==3")
    with pytest.raises(PreconditionError, match="packages of cow"):
        lockfile.loads(text)


def test_a_provider_that_is_there_twice_is_named() -> None:
    text = lockfile.dumps(lock_of([entry()]))
    with pytest.raises(PreconditionError, match="cow twice"):
        lockfile.loads(text + text[text.index("[[provider]]") :])


def test_the_hash_of_packages_knows_no_order_and_every_file() -> None:
    turned = dict(reversed(PACKAGES.items()))
    assert packages_hash(turned) == packages_hash(PACKAGES)
    assert packages_hash({**PACKAGES, "a==2": ("sha256:3",)}) != packages_hash(PACKAGES)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"commit": "d" * 40}, ["the tag v1 was moved: aaaaaaaaaaaa → dddddddddddd"]),
        ({"commit": "d" * 40, "ref": "refs/heads/v1"}, ["commit: aaaaaaaaaaaa → dddddddddddd"]),
        ({"tree": "e" * 40}, ["files: bbbbbbbbbbbb → eeeeeeeeeeee"]),
        ({"manifest": "sha256:" + "f" * 64}, ["manifest: cccccccccccc → ffffffffffff"]),
        ({"source": "github:acme/cow"}, ["source: github:acme/cow@v1 → github:acme/cow"]),
        ({"resolved": "pypi:cow==2"}, [f"version: github:acme/cow@{'a' * 40} → pypi:cow==2"]),
        (
            {"packages": {"a==3": (), "c==1": ()}, "environment": "other"},
            ["package a: 2 → 3", "package b: 1 ; sys_platform == 'win32' → none", "package c: none → 1"],
        ),
        (
            {"packages": {**PACKAGES, "a==2": ("sha256:9",)}, "environment": "other"},
            ["package a==2: other files under the same version"],
        ),
    ],
)
def test_a_difference_says_what_changed(changes: dict[str, object], said: list[str]) -> None:
    assert between(entry(), entry(**changes)) == said


def test_differences_of_locks_name_the_provider() -> None:
    assert between_locks(lock_of([entry("a"), entry("b")]), lock_of([entry("b", tree="e"), entry("c")])) == [
        "a: is in the lock alone",
        "b: files: bbbbbbbbbbbb → e",
        "c: is not in the lock",
    ]
