"""Providers written for the original system run as they are, against fake upstreams."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from mediaconduit import Media, MediaConduitError
from mediaconduit.errors import Reason

from tests.support.brokers import load

from .conftest import ORIGINALS, REDIRECT, Sidecar, Start
from .upstream import NEVER, Upstream, upstream

__all__ = ["upstream"]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def away(upstream: Upstream) -> dict[str, str]:
    """Variables with which hosts that stand in the code are the upstream."""
    return {"NODE_OPTIONS": f"--require {REDIRECT}", "FAKE_UPSTREAM": upstream.url}


async def test_cowsay_speaks_through_its_service(start: Start, upstream: Upstream) -> None:
    upstream.on("GET /health", {"ok": True})
    upstream.on("POST /cowsay", lambda asked: {"cowsayOutput": f"< {asked.json['text']} >"})
    async with start() as (_, client):
        await load(client, "./originals/cowsay", provider_id="cowsay", settings={"service_url": upstream.url})
        [model] = await client.models()
        result = await client.model("cowsay/cowsay").transform("moo", extra={"cow": "tux"})
    assert model.capabilities == ["text-to-text"]
    assert result.text == "< moo >"
    assert result.provenance.vendor_model == "cowsay"
    assert upstream.asked[-1].json == {"text": "moo", "cow": "tux"}
    assert not Path("/tmp/mediaconduit-cowsay-postinstall").exists()


async def test_a_service_that_is_not_healthy_is_said_before_the_provider_is_made(
    start: Start, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.on("GET /health", (503, {}))
    async with start() as (_, client):
        settings = {"service_url": upstream.url, "service_health": "/health"}
        with pytest.raises(MediaConduitError) as failure:
            await load(client, "./originals/cowsay", provider_id="cowsay", settings=settings)
    assert "not healthy" in str(failure.value)
    assert "service_url" in str(failure.value)


async def test_whisper_transcribes_by_its_api_client(start: Start, upstream: Upstream) -> None:
    segments = [{"start": 0.0, "end": 1.5, "text": " hello"}, {"start": 1.5, "end": 2.0, "text": " cow"}]
    upstream.on("POST /asr", {"text": "hello cow", "segments": segments, "language": "en"})
    async with start() as (_, client):
        await load(client, "./originals/whisper", settings={"service_url": upstream.url})
        assert [model.name.rpartition("/")[2] for model in await client.models()] == ["whisper-base", "whisper-small"]
        result = await client.model("whisper/whisper-base").transform(
            Media(b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"), transcript={"language": "en"}
        )
    assert result.text.startswith("hello cow")
    asked = upstream.asked[-1]
    assert b"RIFF" in asked.body
    assert "language=en" in asked.path
    transcript = next(output.part.transcript for output in result.outputs if output.part.HasField("transcript"))
    assert [segment.end_offset.ToMilliseconds() for segment in transcript.segments] == [1500, 2000]


async def test_ollama_streams_and_converses(start: Start, upstream: Upstream) -> None:
    upstream.on("GET /api/tags", {"models": [{"name": "llama3:8b"}, {"name": "phi3"}]})
    upstream.on("POST /api/generate", ['{"response": "Hel"}', '{"response": "lo"}'])
    upstream.on("POST /api/chat", lambda asked: {"message": {"content": f"{len(asked.json['messages'])} messages"}})
    async with start() as (_, client):
        await load(client, "./originals/ollama", settings={"service_url": upstream.url})
        model = client.model("providers/ollama/models/llama3:8b")
        result = await model.transform("hi", seed=7, text={"temperature": 0})
        assert result.text == "Hello"
        assert upstream.asked[-1].json["options"] == {"temperature": 0, "seed": 7}
        chat = model.conversation(system="Be brief.")
        assert (await chat.send("one")).text == "2 messages"
        assert (await chat.send("two")).text == "4 messages"


async def test_cancelling_a_call_ends_its_request_to_the_vendor(start: Start, upstream: Upstream) -> None:
    upstream.on("GET /api/tags", {"models": [{"name": "phi3"}]})
    upstream.on("POST /api/generate", NEVER)
    async with start() as (_, client):
        await load(client, "./originals/ollama", settings={"service_url": upstream.url})
        stream = client.model("ollama/phi3").stream("hi")
        await anext(aiter(stream))
        assert await asyncio.to_thread(upstream.held.wait, 10)
        await stream.aclose()
        assert await asyncio.to_thread(upstream.left.wait, 10)


async def test_anthropic_gets_its_key_by_configure_its_address_by_variable(start: Start, upstream: Upstream) -> None:
    answer = {
        "id": "msg_1", "model": "claude-3-haiku-20240307", "content": [{"text": "Bonjour"}],
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }  # fmt: skip
    upstream.on("POST /v1/messages", answer)
    environ = {"ANTHROPIC_API_KEY": "sk-ant-secret", "ANTHROPIC_BASE_URL": f"{upstream.url}/v1"}
    async with start(environ) as (_, client):
        await load(client, "./originals/anthropic")
        result = await client.model("anthropic/claude-3-haiku").transform("hello", text={"max_output_tokens": 9})
    assert result.text == "Bonjour"
    assert dict(result.usage.units) == {"input-token": 3, "output-token": 5}
    assert result.provenance.vendor_model == "claude-3-haiku-20240307"
    assert result.provenance.vendor_response_id == "msg_1"
    assert upstream.asked[-1].headers["x-api-key"] == "sk-ant-secret"
    assert upstream.asked[-1].json["max_tokens"] == 9


async def test_a_vendor_that_refuses_the_key_is_a_typed_error(start: Start, upstream: Upstream) -> None:
    upstream.on("POST /v1/messages", (401, {"error": {"message": "invalid x-api-key sk-ant-secret"}}))
    environ = {"ANTHROPIC_API_KEY": "sk-ant-secret", "ANTHROPIC_BASE_URL": f"{upstream.url}/v1"}
    async with start(environ) as (_, client):
        await load(client, "./originals/anthropic")
        with pytest.raises(MediaConduitError) as failure:
            await client.model("anthropic/claude-3-haiku").transform("hello")
    assert failure.value.reason is Reason.CREDENTIALS_REJECTED
    assert "sk-ant-secret" not in str(failure.value)


async def test_openrouter_finds_its_models_in_the_background(sidecar: Sidecar, upstream: Upstream) -> None:
    models = [{"id": "meta/llama-3", "name": "Llama 3", "context_length": 8192}]
    upstream.on("GET /openrouter.ai/api/v1/models", {"data": models})
    upstream.on(
        "POST /openrouter.ai/api/v1/chat/completions",
        {"model": "meta/llama-3", "choices": [{"message": {"content": "yes"}}], "usage": {"prompt_tokens": 1}},
    )
    variables = {**away(upstream), "OPENROUTER_API_KEY": "sk-or-1"}
    async with sidecar(ORIGINALS / "openrouter", variables) as alone:
        [model] = await alone.client.models()
        result = await alone.client.model(model.name).transform("hello?")
    assert model.context_tokens == 8192
    assert result.text == "yes"
    assert upstream.asked[-1].headers["authorization"] == "Bearer sk-or-1"


async def test_replicate_makes_an_image(sidecar: Sidecar, upstream: Upstream) -> None:
    prediction = {"id": "p1", "status": "starting", "urls": {}}
    done = {"id": "p1", "status": "succeeded", "output": [f"{upstream.url}/made.png".replace("localhost", "127.0.0.1")]}
    upstream.on("POST /api.replicate.com/v1/predictions", (201, prediction))
    upstream.on("POST /api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions", (201, prediction))
    upstream.on("GET /api.replicate.com/v1/predictions/p1", done)
    upstream.on("GET /made.png", PIXEL)
    variables = {**away(upstream), "REPLICATE_API_TOKEN": "r8_token"}
    async with sidecar(ORIGINALS / "replicate", variables) as alone:
        [model] = await alone.client.models()
        result = await alone.client.model(model.name).transform("a cow", image={"width": 512}, seed=3)
    [output] = result.outputs
    assert output.started.media_type == "image/png"
    assert result.data == PIXEL
    assert result.provenance.vendor_response_id == "p1"


async def test_a_token_that_the_provider_refuses_ends_its_sidecar_with_the_reason(sidecar: Sidecar) -> None:
    async with sidecar(ORIGINALS / "replicate", {"REPLICATE_API_TOKEN": "wrong"}, ready=False) as alone:
        assert await alone.process.wait() == 70
    assert any("must start with r8_" in line for line in alone.lines)
