"""Brokers whose sidecars are kept apart. Their state is where other users can reach it, as in /var/lib."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mediaconduit.client import Client
from mediaconduit_broker.isolation.reach import NOBODY, obstacle
from mediaconduit_broker.server import Broker

from tests.support.brokers import broker

SYSTEM_PYTHON = Path(f"/usr/bin/python3.{sys.version_info.minor}")

as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="users of their own need root on Linux, with setpriv",
)
with_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

with_shared_python = pytest.mark.skipif(
    not SYSTEM_PYTHON.exists() and obstacle(Path(sys.base_prefix), NOBODY) is not None,
    reason="other users can run no Python of this version",
)

Brokers = Callable[..., contextlib.AbstractAsyncContextManager[tuple[Broker, Client]]]


@pytest.fixture(scope="session")
def shared_environments() -> Iterator[Path]:
    """Environments that other users can reach: pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory(prefix="mediaconduit-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = folder / "environments"
        made.mkdir(mode=0o755)
        yield made


@pytest.fixture
def state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mediaconduit-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture
def brokers(state: Path, shared_environments: Path) -> Brokers:
    """Makes brokers with a configuration."""

    @contextlib.asynccontextmanager
    async def make(**config: Any) -> AsyncIterator[tuple[Broker, Client]]:
        async with broker(state, shared_environments, **config) as made:
            yield made

    return make
