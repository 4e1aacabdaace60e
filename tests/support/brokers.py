"""Brokers for tests: served in this process, with real sockets and real sidecar processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from mediaconduit import connect
from mediaconduit.client import Client
from mediaconduit_broker.config import Config
from mediaconduit_broker.server import Broker, running

PROVIDERS = Path(__file__).parents[1] / "providers"


@contextlib.asynccontextmanager
async def broker(state: Path, environments: Path | None = None, **config: Any) -> AsyncIterator[tuple[Broker, Client]]:
    """A broker on a free port and a client of it.

    Args:
        state: Its state folder.
        environments: A folder of environments that outlives it, so that tests need not build them anew.
        config: Fields of its configuration.
    """
    state.mkdir(exist_ok=True, parents=True)
    if environments is not None and not (state / "environments").exists():
        (state / "environments").symlink_to(environments)
    made = Config(**{"listen": "127.0.0.1:0", "state_dir": str(state)} | config)
    async with running(made, os.environ, base=PROVIDERS) as served, connect(served.address) as client:
        yield served, client


async def load(client: Client, source: str, **options: Any) -> list[str]:
    """Loads a provider; gives the messages on the way."""
    return [step.message async for step in client.broker.load(source, **options)]


def write_provider(
    folder: Path, code: str, *, dependencies: str = "[]", manifest: str = "", name: str = "mine"
) -> Path:
    """A provider folder whose module is `code`; its class is `Mine`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MediaConduit.provider.yml").write_text(
        manifest or f"id: {name}\nversion: 1.0.0\nruntime: python\nentry: {name}_provider:Mine\n"
    )
    (folder / f"{name}_provider.py").write_text(code)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {dependencies}\n'
    )
    return folder


GOOD = """
from mediaconduit_provider import Model, Provider


class Mine(Provider):
    models = (Model("default", ["text-to-text"]),)

    async def transform(self, call):
        yield VERSION


VERSION = "one"
"""
