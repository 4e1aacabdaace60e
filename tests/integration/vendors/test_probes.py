"""What is asked of real vendors works: tried on a made-up one, since no key is here."""

from __future__ import annotations

import pytest
from mediaconduit_vendors.testing import Reply, json_reply

from tests.integration.vendors.asking import asking
from tests.integration.vendors.made_up import CASE, MadeUp
from tests.support.vendors import probes
from tests.support.vendors.providers import variables


async def test_the_probes_pass_on_a_good_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Reply(CASE.reply.status, CASE.reply.headers, [CASE.reply.body.replace("Grüße".encode(), b"Ready")])
    async with asking(CASE, answer) as asked:
        await probes.discovers(asked.served)
        await probes.talks(asked.served)
        await probes.stops(asked.served)
        await probes.refuses(asked.served)
        with pytest.raises(pytest.skip.Exception, match="text-to-embedding"):
            await probes.embeds(asked.served)
        monkeypatch.setenv(probes.MODEL, "named")
        assert await probes.cheapest(asked.served, "text-to-text") == "named"


async def test_a_vendor_without_models_is_found() -> None:
    async with asking(CASE) as asked:
        asked.upstream.route("GET /v1/models", json_reply({"data": []}))
        with pytest.raises(AssertionError):
            await probes.discovers(asked.served)


def test_every_vendor_that_needs_a_key_says_its_variable() -> None:
    known = variables()
    assert known["openai"] == ["OPENAI_API_KEY"]
    assert "cowsay" not in known
    assert MadeUp.vendor.id not in known
