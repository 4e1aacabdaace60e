"""Together sends nulls, leaves fields out and adds others, against its own description: nothing of that is a crash."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from mediaconduit.errors import MediaConduitError
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Upstream, json_reply

from tests.integration.vendors.cases import together, together_media, together_wire
from tests.integration.vendors.matrix import Case
from tests.integration.vendors.test_openai_nulls import damaged, variants
from tests.support.vendors.providers import provider_class

CASES = [
    case for case in together.CASES if case.reply.headers["content-type"].startswith(("text/event", "application"))
]
CASES = [case for case in CASES if case.operation not in ("voices", "video")]


@contextlib.asynccontextmanager
async def asked(case: Case, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Upstream, Served]]:
    monkeypatch.setenv("TOGETHER_API_KEY", "made-up")
    async with Upstream(case.routes) as upstream:
        settings = {**case.settings, "base_url": upstream.url}
        async with serve(provider_class("together")(), provider_id="together", settings=settings) as served:
            yield upstream, served


async def failure(served: Served, case: Case) -> MediaConduitError | None:
    try:
        await served.model(case.model).transform(case.content, **case.keywords)
    except MediaConduitError as error:
        return error
    return None


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_null_anywhere_and_a_field_gone_are_no_crash(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(case, monkeypatch) as (upstream, served):
        for number, reply in enumerate(damaged(case.reply)):
            upstream.route(case.route, reply)
            error = await failure(served, case)
            assert error is None or "error_id" not in error.metadata, (number, reply.body)
        assert number >= 1


@pytest.mark.parametrize("list_name", ["models", "voices"])
async def test_a_damaged_list_hides_no_other_models(list_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    route = f"GET /v1/{list_name}"
    whole = json.loads(together_wire.LISTS[route].body)
    async with asked(together.CHAT, monkeypatch) as (upstream, served):
        every = len(await served.client.models(refresh=True))
        for body in variants(whole):
            upstream.route(route, json_reply(body))
            found = await served.client.models(refresh=True)
            assert len(found) >= every - 2, body
            await served.client.voices()


async def test_a_damaged_state_of_a_video_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(together_media.VIDEO, monkeypatch) as (upstream, served):
        upstream.route(together_media.VIDEO.route, together_media.VIDEO.reply)
        whole = {"id": "v-1", "model": "m", "status": "completed", "size": "1x1", "seconds": "5"}
        made = {**whole, "outputs": {"cost": 1, "video_url": f"{upstream.url}/made.mp4"}, "error": {"message": "x"}}
        for body in [*variants(made), *variants({**made, "status": "failed"})]:
            upstream.route("GET /v2/videos/v-1", json_reply(body))
            error = await failure(served, together_media.VIDEO)
            assert error is None or "error_id" not in error.metadata, body
