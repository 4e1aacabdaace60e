"""Brokers whose secrets a test chooses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import connect
from mediaconduit.client import Client
from mediaconduit_broker.config import Config, SecretsConfig
from mediaconduit_broker.server import Broker, running

from tests.support.brokers import PROVIDERS

PLACES = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
Start = Callable[..., AbstractAsyncContextManager[tuple[Broker, Client]]]


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def start(tmp_path: Path, environments: Path) -> Start:
    """Starts a broker with these variables beside those of `PLACES`; one after the other, they share a state folder."""

    @contextlib.asynccontextmanager
    async def start(
        environ: Mapping[str, str] | None = None, secrets: SecretsConfig | None = None, **config: Any
    ) -> AsyncIterator[tuple[Broker, Client]]:
        state = tmp_path / "state"
        state.mkdir(exist_ok=True)
        if not (state / "environments").exists():
            (state / "environments").symlink_to(environments)
        made = Config(listen="127.0.0.1:0", state_dir=str(state), secrets=secrets or SecretsConfig(), **config)
        variables = {name: os.environ[name] for name in PLACES if name in os.environ}
        async with (
            running(made, {**variables, **(environ or {})}, base=PROVIDERS) as served,
            connect(served.address) as client,
        ):
            yield served, client

    return start
