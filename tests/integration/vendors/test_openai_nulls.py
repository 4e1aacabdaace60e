"""Vendors send nulls, leave fields out and add others, against their own descriptions: nothing of that is a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from mediaconduit.errors import MediaConduitError
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Reply, Upstream, json_reply, sse

from tests.integration.vendors.cases import openai
from tests.integration.vendors.matrix import Case
from tests.support.vendors.providers import provider_class

CASES = [openai.CHAT, openai.RESPONSES, openai.TRANSCRIPTION, openai.STREAMED, openai.IMAGE, openai.IMAGES]
CASES += [openai.EMBEDDINGS, openai.MODERATION]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_null_anywhere_and_a_field_gone_are_no_crash(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    async with (
        Upstream(case.routes) as upstream,
        serve(provider_class("openai")(), provider_id="openai", settings={"base_url": f"{upstream.url}/v1"}) as served,
    ):
        for number, reply in enumerate(damaged(case.reply)):
            upstream.route(case.route, reply)
            error = await _failure(served, case)
            assert error is None or "error_id" not in error.metadata, (number, reply.body)
        assert number > 8


async def _failure(served: Served, case: Case) -> MediaConduitError | None:
    try:
        await served.model(case.model).transform(case.content, **case.keywords)
    except MediaConduitError as error:
        return error
    return None


def damaged(reply: Reply) -> Iterator[Reply]:
    """The reply with each of its values null in turn, and with each of its fields gone."""
    if not reply.headers["content-type"].startswith("text/event-stream"):
        yield from (json_reply(body) for body in variants(json.loads(reply.body)))
        return
    events = [json.loads(piece.split(b"data: ", 1)[1]) for piece in reply.pieces if b"data: {" in piece]
    for at, event in enumerate(events):
        for changed in variants(event):
            yield sse(*events[:at], changed, *events[at + 1 :], "[DONE]", names=True)


def variants(value: Any) -> Iterator[Any]:
    for path in paths(value):
        for gone in (False, True):
            changed = copy.deepcopy(value)
            *above, last = path
            inside = changed
            for step in above:
                inside = inside[step]
            if not gone:
                inside[last] = None
            elif isinstance(inside, dict):
                del inside[last]
            else:
                continue
            yield changed


def paths(value: Any) -> Iterator[Sequence[Any]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (step,)
        yield from ((step, *rest) for rest in paths(inner))
