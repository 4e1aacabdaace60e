"""A git server under the real address of GitHub, brokers that reach it, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mediaconduit_broker.config import SourcesConfig

from tests.support.brokers import GOOD
from tests.support.git_server import GitServer, Repository, git_server

PYPROJECT = '[project]\nname = "mine"\nversion = "1"\ndependencies = []\n'
MANIFEST = "id: mine\nversion: 1.0.0\nruntime: python\nentry: mine_provider:Mine\n"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "server") as made:
        yield made


@pytest.fixture
def sources(server: GitServer) -> SourcesConfig:
    """Reaches the server under the name of GitHub."""
    return SourcesConfig(rewrite={"https://github.com/": f"{server.url}/"})


@pytest.fixture
def repository(server: GitServer) -> Repository:
    """github:acme/cow, a provider that says "one", with the tag v1."""
    made = server.repository("acme/cow")
    made.commit({"MediaConduit.provider.yml": MANIFEST, "mine_provider.py": GOOD, "pyproject.toml": PYPROJECT})
    made.tag("v1")
    return made


@pytest.fixture
def config(tmp_path: Path, server: GitServer) -> Path:
    """A broker's configuration, beside which its lock stands."""
    path = tmp_path / "broker" / "mediaconduit.toml"
    path.parent.mkdir()
    path.write_text(
        f'state_dir = "{tmp_path}/state"\n'
        f'[trust]\nallow = ["github:acme/*"]\n'
        f'[sources.rewrite]\n"https://github.com/" = "{server.url}/"\n'
        '[providers.cow]\nsource = "github:acme/cow@v1"\n'
    )
    return path


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `mediaconduit`."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, **variables: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mediaconduit_broker.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=os.environ | {"COLUMNS": "200"} | variables,
            timeout=90,
        )

    return run
