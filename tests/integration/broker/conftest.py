"""A broker for each test; environments are built once a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from mediaconduit.channels import open_channel
from mediaconduit.client import Client
from mediaconduit_broker.server import Broker

from tests.support.brokers import broker, load


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
async def served(tmp_path: Path, environments: Path) -> AsyncIterator[tuple[Broker, Client]]:
    """An empty broker and a client of it."""
    async with broker(tmp_path / "state", environments) as made:
        yield made


@pytest.fixture
def client(served: tuple[Broker, Client]) -> Client:
    """A client of an empty broker."""
    return served[1]


@pytest.fixture
async def faulty(client: Client) -> Client:
    """A client of a broker with the faulty provider."""
    await load(client, "./faulty")
    return client


@pytest.fixture
async def channel(served: tuple[Broker, Client], faulty: Client) -> AsyncIterator[grpc.aio.Channel]:
    """A bare channel to a broker with the faulty provider."""
    async with open_channel(served[0].address) as opened:
        yield opened
