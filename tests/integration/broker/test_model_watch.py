"""Models that appear and vanish: told to watchers, counted, and known over restarts."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from mediaconduit.client import Client
from mediaconduit.v1 import broker_pb2
from mediaconduit_broker.config import Limits
from mediaconduit_broker.model_watch import ModelStore
from mediaconduit_vendors.testing import Upstream, json_reply

from tests.support.brokers import broker, load, write_provider

CODE = """
import json
from pathlib import Path

from mediaconduit_provider import Model, Provider


class Mine(Provider):
    async def list_models(self, *, refresh=False):
        listed = json.loads(Path({listing!r}).read_text())
        self.models_provisional = listed.pop("provisional", "") != ""
        return [Model(name, does.split()) for name, does in listed.items()]

    async def transform(self, call):
        yield "done"
"""
APPEARED = broker_pb2.MODEL_CHANGE_KIND_APPEARED
VANISHED = broker_pb2.MODEL_CHANGE_KIND_VANISHED
CHANGED = broker_pb2.MODEL_CHANGE_KIND_CHANGED


class Vendor:
    """A provider whose vendor may change what it offers."""

    def __init__(self, folder: Path) -> None:
        self._listing = folder / "listing.json"
        self.source = str(write_provider(folder / "mine", CODE.format(listing=str(self._listing))))
        self.offers(old="text-to-text", kept="text-to-text image-to-text")

    def offers(self, **models: str) -> None:
        fresh = self._listing.with_suffix(".new")
        fresh.write_text(json.dumps(models))
        fresh.replace(self._listing)


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    return Vendor(tmp_path)


def brief(changes: Sequence[broker_pb2.ModelChange]) -> list[tuple[str, int, list[str], list[str]]]:
    return [
        (change.name.split("/")[-1], change.kind, [*change.capabilities_appeared], [*change.capabilities_vanished])
        for change in changes
    ]


@contextlib.asynccontextmanager
async def news(client: Client) -> AsyncIterator[AsyncIterator[broker_pb2.WatchProvidersResponse]]:
    """Messages that have news of models, from a watch that has begun."""
    async with asyncio.timeout(60), client.broker.watch() as feed:
        first = []
        while not (message := await anext(feed)).synced:
            first.append(message)

        async def told() -> AsyncIterator[broker_pb2.WatchProvidersResponse]:
            for message in first:
                if message.model_changes:
                    yield message
            while True:
                if (message := await anext(feed)).model_changes:
                    yield message

        yield told()


async def test_what_changed_since_the_day_before_is_told_to_who_watches_and_who_comes_later(
    tmp_path: Path, environments: Path, vendor: Vendor
) -> None:
    yesterday = {"old": ["text-to-text"], "gone": ["text-to-audio"], "kept": ["text-to-text"]}
    ModelStore(tmp_path / "state/models").save(
        "mine", {f"providers/mine/models/{name}": frozenset(does) for name, does in yesterday.items()}
    )
    vendor.offers(old="text-to-text", kept="text-to-text image-to-text", new="text-to-text")
    expected = [
        ("mine", CHANGED, ["image-to-text"], ["text-to-audio"]),
        ("gone", VANISHED, [], ["text-to-audio"]),
        ("kept", CHANGED, ["image-to-text"], []),
        ("new", APPEARED, ["text-to-text"], []),
    ]
    async with broker(tmp_path / "state", environments) as (_, client):
        async with news(client) as told:
            await load(client, vendor.source)
            message = await anext(told)
        assert brief(message.model_changes) == expected
        assert message.provider.name == "providers/mine"
        async with news(client) as told:
            later = await anext(told)
        assert later.model_changes == message.model_changes
        found = await client.broker.get("mine")
        assert found.model_changes == message.model_changes
        counters = found.model_counters
        assert (counters.models_appeared, counters.models_vanished) == (1, 1)
        assert (counters.capabilities_appeared, counters.capabilities_vanished) == (1, 1)


async def test_a_refresh_that_brings_a_model_is_told_once_and_routing_knows_it(client: Client, vendor: Vendor) -> None:
    await load(client, vendor.source)
    async with news(client) as told:
        vendor.offers(old="text-to-text", kept="text-to-text image-to-text", fresh="text-to-text")
        await client.models(refresh=True)
        assert brief((await anext(told)).model_changes) == [("fresh", APPEARED, ["text-to-text"], [])]
        assert (await client.model("fresh").transform("x")).text == "done"
        vendor.offers(old="text-to-text")
        await client.models(refresh=True)
        assert [change.kind for change in (await anext(told)).model_changes] == [CHANGED, VANISHED, VANISHED]


async def test_what_a_vendor_brings_out_meanwhile_is_noticed_unasked(
    tmp_path: Path, environments: Path, vendor: Vendor
) -> None:
    async with broker(tmp_path / "state", environments, limits=Limits(check_models=0.05)) as (_, client):
        await load(client, vendor.source)
        async with news(client) as told:
            vendor.offers(old="text-to-text", kept="text-to-text image-to-text", fresh="text-to-text")
            assert brief((await anext(told)).model_changes) == [("fresh", APPEARED, ["text-to-text"], [])]
        assert "providers/mine/models/fresh" in {model.name for model in await client.models()}


async def test_what_a_provider_knows_without_its_vendor_is_no_news_and_soon_replaced(
    tmp_path: Path, environments: Path, vendor: Vendor
) -> None:
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, vendor.source)
        async with news(client) as told:
            vendor.offers(old="text-to-text")
            await client.models(refresh=True)
            await anext(told)
    vendor.offers(guessed="text-to-text", provisional="yes")
    async with broker(tmp_path / "state", environments) as (_, client), news(client) as told:
        async with asyncio.timeout(30), client.broker.watch() as feed:
            while (await anext(feed)).provider.state != broker_pb2.PROVIDER_STATE_READY:
                pass
        assert [model.name for model in await client.models()] == ["providers/mine/models/guessed"]
        vendor.offers(old="text-to-text", fresh="text-to-text")
        assert brief((await anext(told)).model_changes) == [("fresh", APPEARED, ["text-to-text"], [])]
        assert len(await client.models()) == 2


async def test_a_list_outlives_the_broker(tmp_path: Path, environments: Path, vendor: Vendor) -> None:
    async with broker(tmp_path / "state", environments) as (_, client):
        await load(client, vendor.source)
        async with news(client) as told:
            vendor.offers(old="text-to-text")
            await client.models(refresh=True)
            await anext(told)
    vendor.offers(old="text-to-text", fresh="text-to-text")
    async with broker(tmp_path / "state", environments) as (_, client), news(client) as told:
        assert brief((await anext(told)).model_changes) == [("fresh", APPEARED, ["text-to-text"], [])]


async def test_a_provider_that_is_added_anew_begins_anew(client: Client, vendor: Vendor) -> None:
    await load(client, vendor.source)
    await client.broker.unload("mine")
    vendor.offers(other="text-to-text")
    await load(client, vendor.source)
    async with news(client) as told:
        vendor.offers(other="text-to-text", fresh="text-to-text")
        await client.models(refresh=True)
        assert brief((await anext(told)).model_changes) == [("fresh", APPEARED, ["text-to-text"], [])]
        assert (await client.broker.get("mine")).model_counters.models_appeared == 1


async def test_a_vendors_list_is_compared_and_not_what_its_provider_knows_without_it(
    tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    ModelStore(tmp_path / "state/models").save(
        "openai",
        {
            f"providers/openai/models/{name}": frozenset({"text-to-text", "image-to-text"})
            for name in ("gpt-4o", "gpt-4-32k")
        },
    )
    listed = json_reply({"data": [{"id": "gpt-4o", "created": 1715367049}, {"id": "gpt-4o-mini"}]})
    async with (
        Upstream({"GET /v1/models": listed}) as upstream,
        broker(tmp_path / "state", environments) as (_, client),
        news(client) as told,
    ):
        await load(client, "openai", settings={"base_url": f"{upstream.url}/v1"})
        assert brief((await anext(told)).model_changes) == [
            ("gpt-4-32k", VANISHED, [], ["image-to-text", "text-to-text"]),
            ("gpt-4o-mini", APPEARED, ["image-to-text", "text-to-text"], []),
        ]
        assert {model.name.split("/")[-1] for model in await client.models()} == {"gpt-4o", "gpt-4o-mini"}


async def test_models_tell_how_soon_they_have_answered(client: Client, vendor: Vendor) -> None:
    await load(client, vendor.source)
    await client.model("mine/old").transform("x")
    models = {model.name.split("/")[-1]: model for model in await client.models()}
    assert models["old"].first_output_duration.ToNanoseconds() > 0
    assert not models["kept"].HasField("first_output_duration")
    assert (await client.model("mine/old").describe()).HasField("first_output_duration")
