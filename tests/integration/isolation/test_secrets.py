"""What one provider can find of another's secret."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from mediaconduit.client import Client
from mediaconduit_broker.config import IsolationConfig
from mediaconduit_broker.runners.process import ProcessSidecar
from mediaconduit_broker.server import Broker

from tests.integration.isolation.conftest import Brokers, as_root, with_bubblewrap, with_shared_python
from tests.support.brokers import load


async def ask(client: Client, model: str, text: str = "x") -> str:
    return (await client.model(model).transform(text, timeout=60)).text


async def loot(broker: Broker, client: Client, state: Path) -> list[str]:
    """Where the hostile provider finds the key of the victim, which has the same code and is loaded beside it."""
    key = secrets.token_hex(16)
    await load(client, "./hostile", provider_id="victim", settings={"key": key})
    await load(client, "./hostile", provider_id="hostile")
    # The folder of temporary files lies in the system's, which others use, too: only brokers' are searched.
    folders = [str(state), "/run/mediaconduit", *map(str, Path(tempfile.gettempdir()).glob("mc-*"))]
    question = {"backwards": key[::-1], "pids": [os.getpid(), *processes_of(broker, "victim")], "folders": folders}
    found: list[str] = json.loads(await ask(client, "hostile/search", json.dumps(question)))
    return found


def processes_of(broker: Broker, provider_id: str) -> list[int]:
    """As the broker sees them; in a sandbox they have other numbers."""
    instance = broker.registry.get(provider_id).instance
    assert instance is not None
    assert isinstance(instance.sidecar, ProcessSidecar)
    process = psutil.Process(instance.sidecar.pid)
    return [process.pid, *(child.pid for child in process.children(recursive=True))]


async def warnings(client: Client) -> str:
    return " ".join((await client.broker.get("hostile")).warnings)


@as_root
@with_shared_python
@pytest.mark.parametrize("transport", ["unix", "tcp"])
async def test_under_its_own_user_it_finds_nothing(brokers: Brokers, state: Path, transport: Any) -> None:
    async with brokers(isolation=IsolationConfig(users="required", transport=transport)) as (broker, client):
        assert await loot(broker, client, state) == []
        assert "not isolated" not in await warnings(client)
        assert (await client.broker.get("hostile")).isolation.startswith("user 61")
        one, other = [json.loads(await ask(client, f"{name}/about")) for name in ("victim", "hostile")]
    assert one["uid"] != other["uid"]
    assert {one["uid"], other["uid"]} <= set(range(61000, 62000))
    for about in (one, other):
        assert (about["groups"], about["capabilities"], about["no_new_privs"]) == ([], 0, True)
        assert about["writable"] == []


@with_bubblewrap
@pytest.mark.parametrize("users", ["off", "auto"])
async def test_in_bubblewrap_it_finds_nothing(brokers: Brokers, state: Path, users: Any) -> None:
    async with brokers(isolation=IsolationConfig(users=users, sandbox="bubblewrap")) as (broker, client):
        assert await loot(broker, client, state) == []
        assert "not isolated" not in await warnings(client)
        assert "bubblewrap, network off" in (await client.broker.get("hostile")).isolation
        about = json.loads(await ask(client, "hostile/about"))
    assert (about["writable"], about["capabilities"], about["no_new_privs"]) == ([], 0, True)


@as_root
async def test_with_neither_it_finds_the_secret_and_inspect_says_so(brokers: Brokers, state: Path) -> None:
    async with brokers(isolation=IsolationConfig(users="off")) as (broker, client):
        found = await loot(broker, client, state)
        assert {"file key.txt", "socket", "memory"} <= set(found)
        said = await warnings(client)
    assert "not isolated" in said
    assert "temporary files" in said
