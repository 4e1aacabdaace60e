import base64
import json
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Media, assistant, user
from mediaconduit.errors import InvalidRequestError, PreconditionError, Reason
from mediaconduit.v1.media_pb2 import ToolResult
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Reply, Upstream, json_reply, sse
from together_provider import Together

FREE = {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0}
PAID = {**FREE, "input": 0.18, "output": 0.6}
LISTS = {
    "GET /v1/models": json_reply(
        [
            {
                "id": "acme/talk",
                "type": "chat",
                "pricing": {**FREE, "input": 0.18, "output": 0.6},
                "context_length": 8192,
            },
            {"id": "acme/rented", "type": "chat", "pricing": {**FREE, "hourly": 3}},
            {"id": "acme/draw-Free", "type": "image", "pricing": FREE},
            {"id": "acme/rank", "type": "rerank", "pricing": None, "created": None},
            {"id": "acme/of-a-later-day", "type": "smell"},
        ]
    ),
    "GET /v1/voices": json_reply({"data": [{"model": "acme/kokoro", "voices": [{"id": "1", "name": "anna"}]}]}),
}
WEAR = {"name": "wear", "parameters_schema": {"type": "object"}}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_API_KEY", "made-up")


def served(upstream: Upstream, path: str = ""):
    return serve(Together(), settings={"base_url": f"{upstream.url}{path}"})


def chat(*deltas: dict[str, Any], finish: str = "stop") -> Reply:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {"model": "acme/talk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    return sse(*map(chunk, deltas), chunk({}, finish), "[DONE]")


async def models(it: Served) -> dict[str, Any]:
    return {model.name.partition("/models/")[2]: model for model in await it.client.models()}


async def test_models_come_with_prices_and_those_that_speak_with_their_voices() -> None:
    async with Upstream(LISTS) as upstream, served(upstream) as it:
        found = await models(it)
    assert list(found) == [
        "acme/talk",
        "acme/rented",
        "acme/draw-Free",
        "acme/rank",
        "acme/kokoro",
        "openai/whisper-large-v3",
    ]
    assert [rate.nano_price / rate.per for rate in found["acme/talk"].pricing.rates] == [180, 600]
    assert not found["acme/rented"].HasField("pricing")
    assert found["acme/draw-Free"].HasField("pricing")
    assert list(found["acme/kokoro"].capabilities) == ["text-to-audio"]


async def test_a_chat_streams_also_from_an_address_with_its_version() -> None:
    routes = {**LISTS, "POST /v1/chat/completions": chat({"content": "Hel"}, {"content": "lo"})}
    async with Upstream(routes) as upstream, served(upstream, "/v1") as it:
        assert (await it.model("acme/talk").transform("hi")).text == "Hello"
        assert upstream.requests[-1].header("authorization") == "Bearer made-up"


async def test_tool_calls_go_back_numbered_and_reasoning_stays_here() -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "wear", "arguments": "{}"}}
    reply = chat({"reasoning": "Cold."}, {"tool_calls": [{"index": 0, **called}]}, finish="tool_calls")
    async with Upstream({**LISTS, "POST /v1/chat/completions": reply}) as upstream, served(upstream) as it:
        model = it.model("acme/talk")
        first = await model.transform("hi", text={"tools": [WEAR]})
        upstream.route("POST /v1/chat/completions", chat({"content": "Done."}))
        answer = ToolResult(call_id="call_1", parts=[{"text": "ok"}])
        await model.transform([user("hi"), first.turn, answer], text={"tools": [WEAR]})
        said = upstream.requests[-1].json["messages"]
    assert said[1] == {"role": "assistant", "content": None, "tool_calls": [{**called, "index": 0}]}
    assert said[2] == {"role": "tool", "tool_call_id": "call_1", "content": "ok"}


async def test_sounds_and_videos_go_to_models_that_take_them(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    known = {"acme/talk": {"mode": "chat", "features": ["audio-input", "video-input"]}}
    about = {"vendor": "together", "source": "us", "currency": "USD", "models": known}
    prices.write_text(json.dumps(about))
    async with Upstream({**LISTS, "POST /v1/chat/completions": chat({"content": "A fox."})}) as upstream:
        settings = {"base_url": upstream.url, "prices_file": str(prices)}
        async with serve(Together(), settings=settings) as it:
            given = [Media(b"1", "audio/wav"), Media(b"2", "audio/mpeg"), Media(b"3", "video/mp4")]
            await it.model("acme/talk").transform(["What is it?", *given], capability="video-to-text")
        _, wav, mp3, mp4 = upstream.requests[-1].json["messages"][0]["content"]
    assert wav == {"type": "input_audio", "input_audio": {"data": "MQ==", "format": "wav"}}
    assert mp3 == {"type": "audio_url", "audio_url": {"url": "data:audio/mpeg;base64,Mg=="}}
    assert mp4 == {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,Mw=="}}


async def test_what_together_cannot_promise_is_refused() -> None:
    async with Upstream(LISTS) as upstream, served(upstream) as it:
        with pytest.raises(InvalidRequestError) as refused:
            await it.model("acme/talk").transform("hi", text={"tools": [{**WEAR, "strict": True}]})
        assert refused.value.fields[0].field == "options.text.tools[0].strict"
        with pytest.raises(InvalidRequestError):
            await it.model("acme/rank").transform([user("a"), assistant("b")], inputs={"query": "?"})
        with pytest.raises(InvalidRequestError) as mixed:
            await it.model("acme/rank").transform([user("a")])
        assert "query" in str(mixed.value)


async def test_speech_is_that_of_the_models_first_voice_where_none_is_named() -> None:
    spoken = sse({"b64": base64.b64encode(b"\x01\x02").decode()}, "[DONE]")
    async with Upstream({**LISTS, "POST /v1/audio/speech": spoken}) as upstream, served(upstream) as it:
        result = await it.model("acme/kokoro").transform("Hello.", output_media_types=["audio/L16"])
        sent = upstream.requests[-1].json
        [voice] = await it.client.voices()
    assert result.data == b"\x02\x01"
    assert (sent["voice"], sent["stream"], sent["response_format"]) == ("anna", True, "raw")
    assert (voice.name, list(voice.models)) == (
        "providers/test/voices/anna",
        ["providers/test/models/acme/kokoro"],
    )


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOGETHER_API_KEY")
    async with serve(Together(), settings={}) as it:
        with pytest.raises(PreconditionError) as failed:
            await it.model("openai/gpt-oss-120b").transform("Hello.")
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "TOGETHER_API_KEY"
