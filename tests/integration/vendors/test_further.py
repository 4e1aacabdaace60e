"""Prices from a public list, for models that no price file has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest
from mediaconduit_provider import Model
from mediaconduit_vendors import further
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.further import FurtherPrices
from mediaconduit_vendors.kinds import Kind
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.testing import Reply, Upstream, failure, json_reply
from mediaconduit_vendors.vendor import Vendor

LIST = "GET /list"
NEW = {"id": "acme/brand-new", "context_length": 9, "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
GIVEN = json_reply({"data": [NEW]})


class Acme(VendorProvider):
    vendor: ClassVar[Vendor] = Vendor("acme", "Acme", "https://acme.example", key="ACME_KEY")

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        return [Kind({}).model(name, self.listing(name)) for name in ("brand-new", "unheard-of")]


@pytest.fixture
async def acme(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Acme]:
    monkeypatch.setenv("ACME_KEY", "sk-acme-secret")
    made = Acme()
    await made.setup()
    yield made
    await made.close()


def price(model: Model) -> int | None:
    return model.pricing.rates[0].nano_price if model.pricing is not None else None


async def test_a_model_without_a_price_has_the_lists_and_the_vendors_key_does_not_go_there(acme: Acme) -> None:
    async with Upstream({LIST: GIVEN}) as upstream:
        await acme.configure({"prices_url": f"{upstream.url}/list"})
        new, unheard = await acme.list_models(refresh=True)
        assert (price(new), new.context_tokens) == (1_000_000_000, 9)
        assert new.pricing is not None
        assert new.pricing.source.startswith("127.0.0.1, 20")
        assert price(unheard) is None
        (asked,) = upstream.requests
        assert "sk-acme-secret" not in str(asked.headers)


async def test_it_is_asked_only_where_it_was_named(acme: Acme) -> None:
    assert [price(model) for model in await acme.list_models(refresh=True)] == [None, None]


@pytest.mark.parametrize(
    "reply",
    [failure(503, {"error": "busy"}), json_reply({"data": []}), json_reply([]), Reply(200, {}, (b"<html>",))],
    ids=["down", "empty", "another form", "a page"],
)
async def test_a_list_that_cannot_be_read_leaves_what_was_known(
    acme: Acme, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    async with Upstream({LIST: [GIVEN, reply]}) as upstream:
        await acme.configure({"prices_url": f"{upstream.url}/list?token=abc"})
        await acme.list_models(refresh=True)
        new, _ = await acme.list_models(refresh=True)
        assert len(upstream.requests) == 2
    assert price(new) == 1_000_000_000
    assert "list of prices at 127.0.0.1" in caplog.text
    assert "abc" not in caplog.text


async def test_a_list_without_end_is_left(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(further, "LARGEST", 1000)
    async with Upstream({LIST: Reply(200, {}, (b" " * 600,) * 4)}) as upstream:
        prices = FurtherPrices(f"{upstream.url}/list")
        await prices.refresh()
    assert prices.listings == {}
    assert "cannot be read" in caplog.text


async def test_an_address_that_is_none_is_no_end_of_the_vendor(acme: Acme, caplog: pytest.LogCaptureFixture) -> None:
    await acme.configure({"prices_url": "http://127.0.0.1:1/list"})
    assert len(await acme.list_models(refresh=True)) == 2
    assert "cannot be read" in caplog.text
