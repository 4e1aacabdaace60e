"""A git server, and sources that reach it under the real address of GitHub."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from mediaconduit_broker.sources import Sources

from tests.support.git_server import GitServer, Repository, git_server

MANIFEST = "id: mine\nversion: 1.0.0\nruntime: python\nentry: mine_provider:Mine\n"

MakeSources = Callable[..., Sources]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "server") as made:
        yield made


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine whose git is configured by nobody."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_SYSTEM": "/dev/null",
    }


@pytest.fixture
async def make(tmp_path: Path, server: GitServer, environ: dict[str, str]) -> AsyncIterator[MakeSources]:
    """Makes sources with a state folder of their own, or with one that is shared."""
    async with AsyncExitStack() as stack:

        def made(folder: str = "state", **options: Any) -> Sources:
            options = {"base": tmp_path, "rewrite": {"https://github.com/": f"{server.url}/"}} | options
            variables = environ | options.pop("variables", {})
            made = Sources(tmp_path / folder / "sources", variables, **options)
            stack.push_async_callback(made.aclose)
            return made

        yield made


@pytest.fixture
def sources(make: MakeSources) -> Sources:
    return make()


@pytest.fixture
def repository(server: GitServer) -> Repository:
    """github:o/r with one commit."""
    made = server.repository("o/r")
    made.commit({"MediaConduit.provider.yml": MANIFEST, "version.txt": "one"})
    return made
