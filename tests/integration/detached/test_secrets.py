"""Secrets of sidecars that outlive their broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit.errors import UnavailableError

from tests.integration.detached.conftest import Place, client_of, log_of
from tests.support.brokers import PROVIDERS, load

TOKEN = "sk-Token/of-a-detached-sidecar"


def written(place: Place) -> Iterator[bytes]:
    """Every file of the broker, its journal, its keeper and its sockets' folders."""
    for folder in (place.state, *place.folders):
        for path in folder.rglob("*"):
            if path.is_file() and "environments" not in path.parts:
                yield path.read_bytes()


async def test_nothing_written_holds_them_and_what_is_read_later_is_redacted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYS_TOKEN", TOKEN)
    monkeypatch.setenv("KEYS_OTHER", "another-key")
    async with client_of(place.up("--detached")) as client:
        await load(client, str(PROVIDERS / "keys"))
        async with client.model("keys/waits").stream("x") as stream:
            events = aiter(stream)
            await anext(events)
            place.kill()
            (record,) = place.records
            with pytest.raises(UnavailableError):
                async for _ in events:
                    pass
    assert not any(TOKEN.encode() in content for content in written(place))
    for pid in (record.pid, place.keeper):
        known = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"PATH=" in known and TOKEN.encode() not in known
    async with client_of(place.up("--detached"), "keys") as client:
        assert "call" in (await client.model("keys/seen").transform("x")).text
        assert place.records[0].pid == record.pid, "the same one, with the keys it had"
        async for news in client.broker.tail_logs("keys", lines=1000, follow=True):
            if any("left alone with ***" in line.text for line in news.lines):
                break
        assert TOKEN not in await log_of(client, "keys")
