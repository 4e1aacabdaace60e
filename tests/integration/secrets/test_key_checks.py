"""`provider inspect` says whether the vendor takes the keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit_broker.cli.keys import KeyCheck, check_keys
from mediaconduit_vendors.testing import Reply, Upstream, failure, json_reply

from tests.support.brokers import broker, load

OPENAI = Path(__file__).parents[3] / "providers" / "openai"
KEY = "sk-made-up-0123456789"


async def checked(client: Client) -> KeyCheck | None:
    return await check_keys(client, await client.broker.get("openai"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (json_reply({"data": [{"id": "gpt-4o"}]}), KeyCheck(True)),
        (
            failure(401, {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}),
            KeyCheck(False, "OpenAI: Incorrect API key provided: ***"),
        ),
        (failure(418, {"error": {"message": "a teapot"}}), KeyCheck(None, "OpenAI: a teapot")),
    ],
    ids=["accepted", "refused", "unknown"],
)
async def test_the_vendor_is_asked_by_a_call_that_costs_nothing(
    answer: Reply, expected: KeyCheck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environments: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with (
        Upstream({"GET /v1/models": answer}) as upstream,
        broker(tmp_path / "state", environments) as (_, client),
    ):
        await load(client, str(OPENAI))
        await client.provider("openai").configure({"base_url": f"{upstream.url}/v1"})
        assert await checked(client) == expected
        assert {(request.method, request.path) for request in upstream.requests} == {("GET", "/v1/models")}


async def test_a_missing_key_is_named_without_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environments: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, str(OPENAI))
        assert await checked(client) == KeyCheck(False, "OPENAI_API_KEY is missing")


async def test_a_provider_without_keys_is_not_asked(tmp_path: Path, environments: Path) -> None:
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, str(OPENAI.parent / "cowsay"))
        assert await check_keys(client, await client.broker.get("cowsay")) is None
