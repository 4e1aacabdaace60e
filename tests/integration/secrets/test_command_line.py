"""What the command line shows of a provider with secrets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from mediaconduit_broker.server import Broker

from tests.support.brokers import load

from .conftest import Start

TOKEN = "sk-token-for-the-command-line"


async def mediaconduit(served: Broker, *arguments: str) -> str:
    """stdout and stderr of the command, which has the key in its environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mediaconduit_broker.cli", *arguments,
        env={**os.environ, "KEYS_TOKEN": TOKEN, "MEDIACONDUIT_BROKER": served.address, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return out.decode()


async def test_names_and_where_they_were_found_are_shown_and_no_value(start: Start, tmp_path: Path) -> None:
    async with start({"KEYS_TOKEN": TOKEN}) as (served, client):
        await load(client, "./keys", settings={"api_key": "setting-that-is-secret"})
        as_json = await mediaconduit(served, "provider", "inspect", "keys", "--json")
        assert json.loads(as_json)["secrets"] == [
            {"name": "KEYS_TOKEN", "present": True, "source": "environment"},
            {"name": "KEYS_OTHER", "present": False, "source": ""},
        ]
        for_people = await mediaconduit(served, "provider", "inspect", "keys")
        assert "KEYS_TOKEN: environment" in for_people
        assert "KEYS_OTHER: missing" in for_people
        others = [
            await mediaconduit(served, *command)
            for command in (
                ("provider", "ls", "--json"), ("provider", "ls"), ("models", "--json"), ("provider", "logs", "keys"),
                ("doctor", "--json", "--state-dir", str(tmp_path / "state")), ("doctor",),
            )
        ]  # fmt: skip
        assert "keys" in others[0]
        for shown in (as_json, for_people, *others):
            assert TOKEN not in shown
            assert "setting-that-is-secret" not in shown


async def test_a_call_without_its_key_tells_what_to_do(start: Start) -> None:
    async with start({"KEYS_TOKEN": TOKEN}) as (served, client):
        await load(client, "./keys")
        shown = await mediaconduit(served, "transform", "keys/seen", "hi")
        assert "needs KEYS_OTHER" in shown
        assert "hint: put it in the broker's environment (KEYS_OTHER=…)" in " ".join(shown.split())


@pytest.mark.parametrize("name", ["MEDIACONDUIT_API_KEY"])
async def test_the_brokers_own_key_cannot_be_asked_for(start: Start, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "greedy"
    folder.mkdir()
    for key in ("secrets", "environment"):
        (folder / "MediaConduit.provider.yml").write_text(f"id: greedy\nentry: a:B\n{key}: [{name}]\n")
        async with start({name: TOKEN}) as (served, _):
            shown = await mediaconduit(served, "provider", "add", str(folder))
            assert "MediaConduit.provider.yml has 1 mistake" in shown
            assert f"{key}.0: {name} is the broker's own" in shown
