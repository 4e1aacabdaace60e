"""A repository is hashed and copied as it is, without what leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.environments.tree import copy_tree, tree_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    (made / "sub").mkdir(parents=True)
    (made / "run.sh").write_text("true\n")
    (made / "run.sh").chmod(0o755)
    (made / "sub" / "data").write_text("1")
    (made / "sub" / "link").symlink_to("../run.sh")
    return made


def test_a_copy_is_the_same_tree(folder: Path, tmp_path: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_tree(folder, copy)
    assert tree_hash(copy) == tree_hash(folder)
    assert os.access(copy / "run.sh", os.X_OK)
    assert (copy / "sub" / "link").readlink() == Path("../run.sh")
    assert not (copy / ".git").exists()


def test_version_control_and_caches_do_not_count(folder: Path) -> None:
    before = tree_hash(folder)
    for name in (".git", "__pycache__", ".venv"):
        (folder / "sub" / name).mkdir()
        (folder / "sub" / name / "file").write_text("x")
    assert tree_hash(folder) == before


@pytest.mark.parametrize("change", ["content", "name", "mode", "link", "new file"])
def test_every_change_is_another_tree(folder: Path, change: str) -> None:
    before = tree_hash(folder)
    match change:
        case "content":
            (folder / "sub" / "data").write_text("2")
        case "name":
            (folder / "sub" / "data").rename(folder / "sub" / "date")
        case "mode":
            (folder / "run.sh").chmod(0o644)
        case "link":
            (folder / "sub" / "link").unlink()
            (folder / "sub" / "link").symlink_to("data")
        case "new file":
            (folder / "empty").write_text("")
    assert tree_hash(folder) != before


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../../repository-of-another"])
def test_a_link_out_of_the_repository_is_refused(folder: Path, target: str) -> None:
    (folder / "sub" / "out").symlink_to(target)
    with pytest.raises(PreconditionError, match="sub/out leads out of the repository"):
        tree_hash(folder)


def test_what_is_no_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(PreconditionError, match="pipe is neither file, folder nor link"):
        tree_hash(folder)


def test_a_folder_that_says_it_is_a_cache_does_not_count(folder: Path) -> None:
    before = tree_hash(folder)
    (folder / "sub" / "target").mkdir()
    (folder / "sub" / "target" / "built").write_text("x")
    assert tree_hash(folder) != before
    (folder / "sub" / "target" / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    assert tree_hash(folder) == before
