from collections.abc import AsyncIterator
from typing import Any

import pytest
from mediaconduit import user
from mediaconduit.errors import InvalidRequestError, PreconditionError, Reason
from mediaconduit.v1.media_pb2 import Part, Role, ToolResult, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, sse
from openrouter_provider import OpenRouter

CHAT = "POST /api/v1/chat/completions"
MODEL = "anthropic/claude-sonnet-4.5"
WEATHER = Tool(name="weather", parameters_schema='{"type": "object"}')


def entry(model_id: str, makes: str = "text", **more: Any) -> dict[str, Any]:
    return {
        "id": model_id,
        "created": 1759161676,
        "context_length": 200000,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": [makes]},
        "pricing": {"prompt": "0.000003", "completion": "0.000015"},
        "supported_parameters": ["temperature", "tools", "reasoning", "max_tokens", "response_format"],
        "reasoning": {"supports_max_tokens": True},
        **more,
    }


FREE = {"prompt": "0", "completion": "0"}
LISTS = {
    "GET /api/v1/key": json_reply({"data": {"label": "sk-or-v1-made-up"}}),
    "GET /api/v1/images/models": json_reply({"data": []}),
    "GET /api/v1/models": json_reply(
        {"data": [entry(MODEL), entry("meta/llama:free", pricing=FREE), entry("openai/embed", "embeddings")]}
    ),
}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "gen-1", "model": MODEL, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


USED = {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.002}


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-made-up")
    async with Upstream(LISTS) as upstream:
        yield upstream


@pytest.fixture
async def served(upstream: Upstream) -> AsyncIterator[Served]:
    async with serve(OpenRouter(), settings={"base_url": f"{upstream.url}/api/v1"}) as served:
        yield served


async def test_a_chat_streams_at_what_was_charged(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk({"content": "Hel"}), chunk({"content": "lo"}, "stop", usage=USED), "[DONE]"))
    result = await served.model(MODEL).transform(
        "hi",
        text={"reasoning_effort": "low", "max_reasoning_tokens": 2000},
        extra={"provider": {"order": ["anthropic"], "zdr": True}, "models": ["openai/gpt-5"]},
    )
    assert result.text == "Hello"
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 5}
    assert result.usage.nano_cost == 2_000_000
    asked = upstream.requests[-1]
    assert asked.header("authorization") == "Bearer sk-or-made-up"
    assert asked.json["provider"] == {"order": ["anthropic"], "zdr": True}
    assert asked.json["models"] == ["openai/gpt-5"]
    assert asked.json["reasoning"] == {"effort": "low", "max_tokens": 2000}


async def test_reasoning_and_calls_go_back_as_they_came(upstream: Upstream, served: Served) -> None:
    text = {"type": "reasoning.text", "text": "Look ", "format": "anthropic-claude-v1", "index": 0}
    signed = {**text, "text": "outside.", "signature": "c2ln"}
    sealed = {"type": "reasoning.encrypted", "data": "c2VhbGVk", "id": "call_1", "index": 1}
    called = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": "{}"}}
    first = sse(
        chunk({"reasoning": "Look ", "reasoning_details": [text]}),
        chunk({"reasoning": "outside.", "reasoning_details": [signed]}),
        chunk({"tool_calls": [called]}),
        chunk({"reasoning_details": [sealed]}, "tool_calls", usage=USED),
    )
    upstream.route(CHAT, [first, sse(chunk({"content": "Take a hat."}, "stop", usage=USED))])
    model = served.model(MODEL)
    asked = await model.transform("Hat?", text={"tools": [WEATHER]})
    assert asked.reasoning == "Look outside."
    answer = Part(tool_result=ToolResult(call_id="call_1", parts=[Part(text="windy")]))
    turns = [user("Hat?"), asked.turn, Turn(role=Role.ROLE_TOOL, parts=[answer])]
    assert (await model.transform(turns, text={"tools": [WEATHER]})).text == "Take a hat."
    _, thought, result = upstream.requests[-1].json["messages"]
    assert thought["reasoning_details"] == [{**signed, "text": "Look outside."}, sealed]
    assert thought["tool_calls"][0]["id"] == "call_1"
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "windy"}


async def test_calls_of_one_conversation_go_to_one_provider(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk({"content": "ok"}, "stop", usage=USED)))
    chat = served.model(MODEL).conversation()
    for words in ("hi", "again"):
        await chat.send(words)
    sessions = {asked.json.get("session_id") for asked in upstream.requests if asked.path.endswith("/completions")}
    assert len(sessions) == 1
    assert sessions != {None}


async def test_models_come_with_prices_and_what_they_take(served: Served) -> None:
    models = {model.name.partition("/models/")[2]: model for model in await served.client.models(refresh=True)}
    assert list(models[MODEL].capabilities) == ["text-to-text", "image-to-text"]
    assert {rate.unit: rate.nano_price for rate in models[MODEL].pricing.rates}["output-token"] == 15_000_000_000
    assert models[MODEL].context_tokens == 200000
    assert models["meta/llama:free"].HasField("pricing")
    assert not models["meta/llama:free"].pricing.rates
    assert list(models["openai/embed"].capabilities) == ["text-to-embedding"]


async def test_a_variant_of_a_model_is_that_model_elsewhere(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk({"content": "fast"}, "stop", usage=USED)))
    await served.client.models(refresh=True)
    assert (await served.model(f"{MODEL}:nitro").transform("hi", text={"temperature": 1})).text == "fast"
    assert upstream.requests[-1].json["model"] == f"{MODEL}:nitro"
    with pytest.raises(InvalidRequestError):
        await served.model(f"{MODEL}:nitro").transform("hi", seed=1)


async def test_texts_become_vectors(upstream: Upstream, served: Served) -> None:
    reply = {
        "model": "embed",
        "data": [{"index": 0, "embedding": [0.5, 1.0]}],
        "usage": {"prompt_tokens": 3, "cost": 0.1},
    }
    upstream.route("POST /api/v1/embeddings", json_reply(reply))
    result = await served.model("openai/embed").transform("hi")
    assert list(result.embeddings[0].values) == [0.5, 1.0]
    assert result.usage.nano_cost == 100_000_000


async def test_any_json_is_asked_for_in_words_too(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk({"content": "{}"}, "stop", usage=USED)))
    for words in ("Where?", "Where, in JSON?"):
        await served.model(MODEL).transform(words, text={"json_schema": "{}"})
    first, second = (asked.json["messages"] for asked in upstream.requests if asked.path.endswith("/completions"))
    assert [message["role"] for message in first] == ["system", "user"]
    assert [message["role"] for message in second] == ["user"]


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    async with serve(OpenRouter(), settings={}) as served:
        with pytest.raises(PreconditionError, match="needs a key") as failed:
            await served.client.models(refresh=True)
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "OPENROUTER_API_KEY"


async def test_a_wrong_key_is_found_though_lists_need_none(upstream: Upstream, served: Served) -> None:
    upstream.route("GET /api/v1/key", failure(401, {"error": {"code": 401, "message": "User not found."}}))
    with pytest.raises(PreconditionError, match="User not found") as failed:
        await served.client.models(refresh=True)
    assert failed.value.reason is Reason.CREDENTIALS_REJECTED
