"""Repositories at the command line, through git's own configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.brokers import GOOD, write_provider
from tests.support.git_server import GitServer


def mediaconduit(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mediaconduit_broker.cli", *arguments]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, timeout=90, check=False)


def test_a_command_runs_in_the_folder_of_a_repository_once_it_is_trusted(
    server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    repository = server.repository("o/r")
    write_provider(repository.folder / "p", GOOD)
    commit = repository.commit()
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
    git = {key: value for key, value in environ.items() if key.startswith("GIT_")}
    state = ("--state-dir", str(tmp_path / "state"))

    refused = mediaconduit("exec", *state, "github:o/r//p", "--", "pwd", environ=git)
    assert refused.returncode != 0
    assert "is not trusted" in refused.stderr
    assert server.requests == [], "asked before anything is fetched"

    assert mediaconduit("trust", "add", *state, "github:o/r", environ=git).returncode == 0
    done = mediaconduit("exec", *state, "github:o/r//p", "--", "pwd", environ=git)
    assert done.returncode == 0, done.stderr
    assert "fetching" in done.stderr
    assert commit in done.stdout

    missing = mediaconduit("exec", *state, "github:o/r//p@mian", "--", "pwd", environ=git)
    assert missing.returncode != 0
    assert "did you mean main?" in missing.stderr


def test_the_checks_run_on_a_repository(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    repository = server.repository("o/r")
    write_provider(repository.folder, GOOD)
    repository.commit()
    Path(environ["GIT_CONFIG_GLOBAL"]).write_text(f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
    git = {key: value for key, value in environ.items() if key.startswith("GIT_")}
    state = ("--state-dir", str(tmp_path / "state"))
    assert mediaconduit("trust", "add", *state, "github:o/r", environ=git).returncode == 0
    done = mediaconduit("test", *state, "github:o/r", "--only", "describe", environ=git)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines().count("fetching") == 1
    assert "2 checks passed" in done.stdout
