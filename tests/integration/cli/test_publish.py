"""``mediaconduit publish --check``: a real repository, a real clone, the real suite on it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mediaconduit_broker import scaffold
from mediaconduit_broker.cli.app import run
from mediaconduit_broker.cli.invocation import Invocation
from mediaconduit_broker.publishing import NAMES

Git = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new provider, committed."""
    made = scaffold.create("shout", tmp_path, "python").folder
    git(made, "init", "-q", "-b", "main")
    commit(made)
    return made


def git(folder: Path, *arguments: str) -> None:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    plain = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **plain, **who})


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a change")


def publish(folder: Path, *arguments: str, **variables: str) -> int:
    return run(["publish", "--check", str(folder), *arguments], Invocation(environ={**os.environ, **variables}))


def outcomes(folder: Path, capsys: pytest.CaptureFixture[str], **variables: str) -> dict[str, tuple[bool, str]]:
    publish(folder, "--json", **variables)
    checks = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]
    assert [check["name"] for check in checks] == list(NAMES)
    return {check["name"]: (check["passed"], check["detail"]) for check in checks}


def test_a_new_provider_is_fit_once_it_is_committed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(folder, "remote", "add", "origin", "git@github.com:me/shout.git")
    git(folder, "tag", "-a", "-m", "first", "v0.1.0")
    assert publish(folder) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in shown[:-1]] == list(NAMES)
    assert shown[-1] == "shout: fit to be pushed"
    told = {line.split()[1]: line.split(maxsplit=2)[2] for line in shown[:-1]}
    assert told["version"] == "0.1.0, tagged as v0.1.0"
    assert told["clone"].endswith("mediaconduit provider add github:me/shout@v0.1.0")
    assert told["conformance"].endswith("checks passed on the clone")


def test_a_file_that_was_never_added_fails_the_clone_though_all_works_here(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".gitignore").write_text("voice.py\n")
    (folder / "shout_provider/voice.py").write_text("LOUD = True\n")
    module = folder / "shout_provider/__init__.py"
    module.write_text("from shout_provider.voice import LOUD\n" + module.read_text())
    commit(folder)
    seen = outcomes(folder, capsys)
    assert seen["committed"][0], "it is ignored"
    assert not seen["conformance"][0]
    assert "No module named 'shout_provider.voice'" in seen["conformance"][1]


def test_what_is_wrong_is_all_said_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = folder / "MediaConduit.provider.yml"
    text = manifest.read_text().replace("license: Apache-2.0\n", "").replace("secrets: []", "secrets: [SHOUT_KEY]")
    manifest.write_text(text)
    commit(folder)
    (folder / "notes.txt").write_text("call it with swordfish-2\n")
    git(folder, "add", "notes.txt")
    seen = outcomes(folder, capsys, SHOUT_KEY="swordfish-2")
    assert {name for name, (passed, _) in seen.items() if not passed} == {"license", "readme", "committed", "secrets"}
    assert seen["committed"][1] == "not committed: notes.txt"
    assert seen["secrets"][1] == "notes.txt:1: the value of SHOUT_KEY"
    assert publish(folder) == 1
    shown = capsys.readouterr().out
    assert "shout: not yet: 3 of 9 checks failed" in shown
    assert "checks: needs SHOUT_KEY" in shown, "without its key the clone is not tried whole"


def test_without_a_repository_nothing_is_cloned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = outcomes(scaffold.create("shout", tmp_path, "python").folder, capsys)
    assert seen["committed"] == (False, "it is in no git repository")
    assert seen["clone"][1] == "skipped: nothing is committed yet"


def test_a_provider_in_a_folder_of_a_repository_is_cloned_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = scaffold.create("shout", tmp_path / "all/providers", "python").folder
    git(tmp_path / "all", "init", "-q")
    commit(tmp_path / "all")
    git(tmp_path / "all", "remote", "add", "origin", "https://github.com/me/all.git")
    seen = outcomes(made, capsys)
    assert all(passed for passed, _ in seen.values()), seen
    assert seen["clone"][1].endswith("github:me/all//providers/shout@v0.1.0")


def test_publishing_itself_is_gits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", str(folder)], Invocation(environ=os.environ)) == 2
    assert "hint: `mediaconduit publish --check`" in capsys.readouterr().err
