"""Anthropic's client against a server that is no double: llama.cpp's own, which speaks the Messages API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_provider.testing import Served, serve

from tests.support.vendors.llama import KEY, MODEL, llama_server
from tests.support.vendors.providers import provider_class


@contextlib.asynccontextmanager
async def serving(*, calls: bool = False) -> AsyncIterator[Served]:
    async with (
        asyncio.timeout(120),
        llama_server(calls=calls) as url,
        serve(provider_class("anthropic")(), settings={"base_url": url}) as served,
    ):
        yield served


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


async def test_a_real_server_streams_counts_and_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as served:
        await _streams_and_counts(served)
        with pytest.raises(MediaConduitError) as failed:
            await served.model(MODEL).transform("cow " * 5000, text={"max_output_tokens": 5})
        assert failed.value.reason is Reason.CONTEXT_TOO_LONG
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong")
        with pytest.raises(MediaConduitError) as failed:
            await served.model(MODEL).transform("hi")
        assert failed.value.reason is Reason.CREDENTIALS_REJECTED


async def test_a_real_server_calls_tools_and_takes_their_results() -> None:
    forced = {"type": "object", "properties": {"city": {"enum": ["Bern"]}}, "required": ["city"]}
    tools = [Tool(name="weather", description="Weather", parameters_schema=json.dumps(forced))]
    options = {
        "tools": tools,
        "tool_choice": "TOOL_CHOICE_REQUIRED",
        "parallel_tool_calls": False,
        "max_output_tokens": 400,
    }
    async with serving(calls=True) as served:
        model = served.model(MODEL)
        asked = Turn(role=Role.ROLE_USER, parts=[Part(text="Weather?")])
        called = await model.transform([asked], text=options)
        # It goes on calling until the limit: the first call is whole.
        call = next(part for part in called.turn.parts if part.HasField("tool_call"))
        assert (call.tool_call.name, json.loads(call.tool_call.arguments)) == ("weather", {"city": "Bern"})
        answer = Part(tool_result={"call_id": call.tool_call.id, "parts": [Part(text="sun")]})
        history = [asked, Turn(role=Role.ROLE_ASSISTANT, parts=[call]), Turn(role=Role.ROLE_TOOL, parts=[answer])]
        counts = [
            (await model.transform(turns, text=options, extra={"count_tokens": True})).json()["input_tokens"]
            for turns in ([asked], history)
        ]
        assert counts[0] + 20 < counts[1]


async def _streams_and_counts(served: Served) -> None:
    model = served.model(MODEL)
    assert [each.name.rpartition("/")[2] for each in await served.client.models(refresh=True)] == [MODEL]

    async with model.stream("Tell me of cows.", gather=True, text={"max_output_tokens": 20}) as stream:
        pieces = [event.text async for event in stream if event.text]
    result = stream.result
    assert len(pieces) > 1
    assert result.text == "".join(pieces)
    assert result.usage.units["output-token"] == 20
    assert result.usage.units["input-token"] > 0
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH
    assert result.provenance.vendor_response_id

    counted = await model.transform("Tell me of cows.", extra={"count_tokens": True})
    assert counted.json()["input_tokens"] > 0
