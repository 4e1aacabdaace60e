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


def test_commands_take_mirrors_and_trust_from_the_configuration(
    server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    repository = server.repository("o/r")
    write_provider(repository.folder, GOOD)
    commit = repository.commit()
    config = tmp_path / "mediaconduit.toml"
    written = f'state_dir = "{tmp_path}/state"\n[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n[trust]\n'
    config.write_text(f'{written}allow = ["github:other/*"]\n')
    git = {key: value for key, value in environ.items() if key.startswith("GIT_")}
    ways = (("exec", "github:o/r", "--", "pwd"), ("test", "github:o/r", "--only", "describe"))
    for command, *arguments in ways:
        refused = mediaconduit(command, "--config", str(config), *arguments, environ=git)
        assert "is not trusted" in refused.stderr
    assert server.requests == []
    config.write_text(f'{written}allow = ["github:o/*"]\n')
    ran, tested = (
        mediaconduit(command, "--config", str(config), *arguments, environ=git) for command, *arguments in ways
    )
    assert ran.returncode == 0, ran.stderr
    assert commit in ran.stdout
    assert str(tmp_path / "state") in ran.stdout
    assert tested.returncode == 0, tested.stderr
    assert "2 checks passed" in tested.stdout


def test_what_is_locked_stays_until_all_is_to_go(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    repository = server.repository("o/r")
    write_provider(repository.folder, GOOD)
    repository.commit()
    config = tmp_path / "mediaconduit.toml"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\n[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n'
        '[trust]\nallow = ["github:o/*"]\n[providers.mine]\nsource = "github:o/r"\n'
    )
    git = {key: value for key, value in environ.items() if key.startswith("GIT_")}
    place = ("--config", str(config))
    for arguments in (("lock", *place), ("exec", *place, "github:o/r", "--", "true")):
        done = mediaconduit(*arguments, environ=git)
        assert done.returncode == 0, done.stderr

    def kept(*options: str) -> tuple[int, int]:
        """Environments and checkouts that are left; all were last asked for long ago."""
        for record in (tmp_path / "state" / "sources").glob("*/*/checkout.json"):
            os.utime(record, (0, 0))
        assert mediaconduit("gc", *place, *options, environ=git).returncode == 0
        environments = [path for path in (tmp_path / "state" / "environments").iterdir() if path.name[0] != "."]
        return len(environments), len(list((tmp_path / "state" / "sources").glob("*/*/checkout.json")))

    assert kept() == (1, 1)
    assert kept("--all") == (0, 0)
    done = mediaconduit("exec", *place, "github:o/r", "--", "true", environ=git)
    assert done.returncode == 0, done.stderr
    (tmp_path / "mediaconduit.lock").unlink()
    assert kept() == (0, 0)
