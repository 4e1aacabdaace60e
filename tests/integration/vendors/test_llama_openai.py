"""OpenAI's client against a server that is no double: llama.cpp's own, which speaks chats and responses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from mediaconduit import Model, user
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, ToolResult, Turn
from mediaconduit_provider.testing import Served, serve

from tests.support.vendors.llama import KEY, MODEL, llama_server
from tests.support.vendors.providers import provider_class

WEATHER = {"type": "object", "properties": {"city": {"enum": ["Bern"]}}, "required": ["city"]}
TOOLS = {
    "tools": [{"name": "weather", "description": "Weather", "parameters_schema": WEATHER}],
    "tool_choice": "required",
    "max_output_tokens": 120,
}


@contextlib.asynccontextmanager
async def serving(vendor: str, url: str, **settings: Any) -> AsyncIterator[Served]:
    provider = provider_class(vendor)()
    async with serve(provider, provider_id=vendor, settings={"base_url": f"{url}/v1", **settings}) as served:
        yield served


async def test_a_compatible_server_is_discovered_streams_counts_and_refuses() -> None:
    async with asyncio.timeout(120), llama_server() as url:
        async with serving("openai-compatible", url, api_key=KEY) as served:
            assert [model.name.rpartition("/")[2] for model in await served.client.models(refresh=True)] == [MODEL]
            model = served.model(MODEL)
            described = await model.describe()
            assert described.context_tokens > 0
            await _streams_and_counts(model)
            await _keeps_to_a_schema(model)
            with pytest.raises(MediaConduitError) as failed:
                await model.transform("cow " * 5000, text={"max_output_tokens": 5})
            assert failed.value.reason is Reason.CONTEXT_TOO_LONG
        async with serving("openai-compatible", url, api_key="sk-wrong", models={MODEL: {}}) as served:
            with pytest.raises(MediaConduitError) as failed:
                await served.model(MODEL).transform("hi")
            assert failed.value.reason is Reason.CREDENTIALS_REJECTED
        async with serving("openai-compatible", url, api_key=KEY, models={MODEL: {"kind": "responses"}}) as served:
            await _streams_and_counts(served.model(MODEL))


async def test_openai_speaks_to_a_real_server_by_chat_and_by_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with asyncio.timeout(120), llama_server() as url, serving("openai", url) as served:
        await _streams_and_counts(served.model("gpt-4o-mini"), {"api": "chat"})
        await _streams_and_counts(served.model("gpt-4o-mini"), {"api": "responses"})
        await _keeps_to_a_schema(served.model("gpt-4o-mini"), {"api": "chat"})  # responses take no schema there


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_real_server_calls_tools_and_takes_their_results(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with asyncio.timeout(120), llama_server(calls=True) as url, serving("openai", url) as served:
        model = served.model("gpt-4o-mini")
        called = await model.transform("Weather?", text=TOOLS, extra={"api": api})
        # It goes on calling until the limit: the first call is whole.
        part = next(part for part in called.turn.parts if part.HasField("tool_call"))
        call = part.tool_call
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Bern"})
        answer = Part(tool_result=ToolResult(call_id=call.id, parts=[Part(text="sun")]))
        said = [Turn(role=Role.ROLE_ASSISTANT, parts=[part]), Turn(role=Role.ROLE_TOOL, parts=[answer])]
        turns = [user("Weather?"), *said]
        answered = await model.transform(turns, text=TOOLS, extra={"api": api})
        assert answered.usage.units["input-token"] + answered.usage.units["cached-input-token"] > (
            called.usage.units["input-token"] + called.usage.units["cached-input-token"]
        )


async def _streams_and_counts(model: Model, extra: Mapping[str, Any] | None = None) -> None:
    options = {"max_output_tokens": 20, "temperature": 0.5}
    async with model.stream("Tell me of cows.", gather=True, text=options, extra=extra or {}) as stream:
        pieces = [event.text async for event in stream if event.text]
    result = stream.result
    assert len(pieces) > 1
    assert result.text == "".join(pieces)
    assert result.usage.units["output-token"] == 20
    assert result.usage.units["input-token"] + result.usage.units["cached-input-token"] > 0
    # Its responses do not say that the limit ended them.
    assert result.finishes[0].reason in (FinishReason.FINISH_REASON_LENGTH, FinishReason.FINISH_REASON_STOP)
    assert result.finishes[0].vendor_reason in ("length", "completed")
    assert result.provenance.vendor_response_id


async def _keeps_to_a_schema(model: Model, extra: Mapping[str, Any] | None = None) -> None:
    schema = {"type": "object", "properties": {"city": {"enum": ["Bern"]}}, "required": ["city"]}
    schema["additionalProperties"] = False
    options = {"json_schema": schema, "max_output_tokens": 200}
    assert (await model.transform("A city?", text=options, extra=extra or {})).json() == {"city": "Bern"}
