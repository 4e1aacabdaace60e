import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mediaconduit import Media, user
from mediaconduit.errors import InvalidRequestError, MediaConduitError, PreconditionError, Reason
from mediaconduit.v1.media_pb2 import Asset, Part, Role, ToolResult, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Upstream, failure, json_reply, sse
from mistral_provider import Mistral

CHAT, OCR, SPEECH = "POST /v1/chat/completions", "POST /v1/ocr", "POST /v1/audio/speech"
MODEL = "mistral-medium-latest"
WEATHER = Tool(name="weather", parameters_schema='{"type": "object"}')
USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def entry(model_id: str, **more: Any) -> dict[str, Any]:
    can = {"completion_chat": True, "function_calling": True, "vision": False, **more.pop("can", {})}
    return {"id": model_id, "capabilities": can, "max_context_length": 131072, **more}


NEW = entry("made-up-2611", can={"vision": True}, deprecation="2027-03-31T12:00:00Z", name="Made Up")
TUNED = entry("ft:mistral-small-latest:me:1", root="mistral-small-latest", type="fine-tuned")
LISTED = {"data": [entry(MODEL), NEW, TUNED, entry("mistral-moderation-latest", can={"completion_chat": False})]}


def chunk(content: Any, finish: str | None = None, *, usage: Any = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish}
    return {"id": "cmpl-1", "model": MODEL, "choices": [choice], "usage": usage}


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    monkeypatch.setenv("MISTRAL_API_KEY", "made-up")
    async with Upstream({"GET /v1/models": json_reply(LISTED)}) as upstream:
        yield upstream


@pytest.fixture
async def served(upstream: Upstream) -> AsyncIterator[Served]:
    async with serve(Mistral(), settings={"base_url": f"{upstream.url}/v1"}) as served:
        yield served


async def test_a_chat_streams_in_the_vendors_words(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk("Hel"), chunk("lo", "stop", usage=USED), "[DONE]"))
    options = {"tools": [WEATHER], "tool_choice": "TOOL_CHOICE_REQUIRED", "max_output_tokens": 9}
    result = await served.model(MODEL).transform("hi", seed=7, text=options)
    assert result.text == "Hello"
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 5}
    assert result.usage.nano_cost > 0
    asked = upstream.requests[-1]
    assert asked.header("authorization") == "Bearer made-up"
    assert (asked.json["random_seed"], asked.json["tool_choice"], asked.json["max_tokens"]) == (7, "any", 9)


async def test_reasoning_and_calls_go_back_as_they_came(upstream: Upstream, served: Served) -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]} for text in ("Look ", "outside.")]
    called = {"id": "a1b2c3d4e", "index": 0, "function": {"name": "weather", "arguments": {"city": "Köln"}}}
    first = sse(
        chunk(thinking[:1]),
        chunk([*thinking[1:], {"type": "text", "text": "I ask."}]),
        chunk("", "tool_calls", tool_calls=[called], usage=USED),
    )
    upstream.route(CHAT, [first, sse(chunk("Take a hat.", "stop", usage=USED))])
    model = served.model(MODEL)
    asked = await model.transform("Hat?", text={"tools": [WEATHER]})
    assert (asked.reasoning, asked.text) == ("Look outside.", "I ask.")
    answer = Part(tool_result=ToolResult(call_id="a1b2c3d4e", parts=[Part(text="windy")]))
    turns = [user("Hat?"), asked.turn, Turn(role=Role.ROLE_TOOL, parts=[answer])]
    assert (await model.transform(turns, text={"tools": [WEATHER]})).text == "Take a hat."
    _, thought, result = upstream.requests[-1].json["messages"]
    assert thought["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Look outside."}]},
        {"type": "text", "text": "I ask."},
    ]
    assert thought["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Köln"}'}
    assert result == {"role": "tool", "tool_call_id": "a1b2c3d4e", "content": "windy"}


async def test_an_answer_that_has_begun_is_gone_on_with(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk("there was", "stop", usage=USED)))
    begun = Turn(role=Role.ROLE_ASSISTANT, parts=[Part(text="Once ")])
    await served.model(MODEL).transform([user("A story!"), begun])
    assert upstream.requests[-1].json["messages"][-1] == {"role": "assistant", "content": "Once ", "prefix": True}


async def test_an_answer_that_ends_with_an_error_is_none(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk("Hel"), chunk("", "error")))
    with pytest.raises(Exception, match="ended with an error"):
        await served.model(MODEL).transform("hi")


async def test_an_error_in_the_middle_says_what_it_is(upstream: Upstream, served: Served) -> None:
    error = {"object": "error", "message": "Service tier capacity exceeded", "type": "service_tier_capacity_exceeded"}
    upstream.route(CHAT, sse(chunk("Hel"), error))
    with pytest.raises(MediaConduitError, match="capacity exceeded") as failed:
        await served.model(MODEL).transform("hi")
    assert failed.value.reason is Reason.RATE_LIMITED


async def test_a_schema_goes_as_it_is(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk("{}", "stop", usage=USED)))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    await served.model(MODEL).transform("hi", text={"json_schema": json.dumps(schema)})
    sent = upstream.requests[-1].json["response_format"]
    assert sent == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


async def test_sound_that_is_elsewhere_is_named(upstream: Upstream, served: Served) -> None:
    done = {"type": "transcription.done", "text": "Hello", "usage": {"prompt_audio_seconds": 2}}
    upstream.route("POST /v1/audio/transcriptions", sse(done))
    there = Part(asset=Asset(uri="https://example.org/a.mp3", media_type="audio/mpeg"))
    result = await served.model("voxtral-mini-latest").transform(there, transcript={"vocabulary": ["Köln", "Bonn"]})
    assert result.text == "Hello"
    fields = [(field.name, field.data.decode()) for field in upstream.requests[-1].form]
    assert ("file_url", "https://example.org/a.mp3") in fields
    assert [value for name, value in fields if name == "context_bias"] == ["Köln", "Bonn"]


async def test_a_document_is_read_page_by_page(upstream: Upstream, served: Served) -> None:
    pages = [{"index": number, "markdown": text, "images": []} for number, text in enumerate(("One.", "Two."))]
    upstream.route(OCR, json_reply({"pages": pages, "model": "mistral-ocr-2512", "usage_info": {"pages_processed": 2}}))
    model = served.model("mistral-ocr-latest")
    result = await model.transform(Media(b"%PDF", "application/pdf"), extra={"pages": "0-1"})
    assert (result.text, dict(result.usage.units)) == ("One.\n\nTwo.", {"page": 2})
    url = f"data:application/pdf;base64,{base64.b64encode(b'%PDF').decode()}"
    assert upstream.requests[-1].json["document"] == {"type": "document_url", "document_url": url}
    with pytest.raises(InvalidRequestError, match="json_schema"):
        await model.transform(["Who sent it?", Media(b"%PDF", "application/pdf")])
    with pytest.raises(InvalidRequestError, match="one document"):
        await model.transform([Media(b"%PDF", "application/pdf"), Media(b"%PDF", "application/pdf")])


async def test_a_voice_is_listed_or_given_as_a_sample(upstream: Upstream, served: Served) -> None:
    own = {"id": "0b1c", "name": "Me", "user_id": "u1", "languages": ["en_gb"], "gender": "female"}
    built_in = {"id": "9f8e", "name": "Paul", "user_id": None, "languages": []}
    upstream.route("GET /v1/audio/voices", json_reply({"items": [built_in, own], "total": 2}))
    voices = await served.client.voices()
    assert [(voice.display_name, list(voice.languages)) for voice in voices] == [("Me", ["en-gb"]), ("Paul", [])]
    spoken = [{"type": "speech.audio.delta", "audio_data": base64.b64encode(b"ID3").decode()}]
    upstream.route(SPEECH, sse(*spoken, {"type": "speech.audio.done", "usage": USED}))
    model = served.model("voxtral-mini-tts-latest")
    assert (await model.transform("hi", audio={"voice": voices[0].name})).data == b"ID3"
    assert upstream.requests[-1].json["voice_id"] == "0b1c"
    assert (await model.transform("hi", inputs={"voice": Media(b"RIFF", "audio/wav")})).data == b"ID3"
    asked = upstream.requests[-1].json
    assert asked["ref_audio"] == base64.b64encode(b"RIFF").decode()
    assert "voice_id" not in asked


async def test_models_are_what_the_vendor_says_they_can_do(served: Served) -> None:
    models = {model.name.partition("/models/")[2]: model for model in await served.client.models(refresh=True)}
    assert set(models) == {MODEL, "made-up-2611", "ft:mistral-small-latest:me:1"}
    new = models["made-up-2611"]
    assert list(new.capabilities) == ["text-to-text", "image-to-text"]
    assert (new.display_name, new.context_tokens) == ("Made Up", 131072)
    assert new.retire_time.ToJsonString() == "2027-03-31T12:00:00Z"
    assert not new.HasField("pricing")
    assert "vision" not in models[MODEL].features
    assert models["ft:mistral-small-latest:me:1"].HasField("pricing")


async def test_any_json_is_asked_for_in_words_too(upstream: Upstream, served: Served) -> None:
    upstream.route(CHAT, sse(chunk("{}", "stop", usage=USED)))
    for words in ("Where?", "Where, in JSON?"):
        await served.model(MODEL).transform(words, text={"json_schema": "{}"})
    first, second = (asked.json["messages"] for asked in upstream.requests if asked.path.endswith("/completions"))
    assert [message["role"] for message in first] == ["system", "user"]
    assert [message["role"] for message in second] == ["user"]


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    async with serve(Mistral(), settings={}) as served:
        with pytest.raises(PreconditionError, match="needs a key") as failed:
            await served.model(MODEL).transform("hi")
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "MISTRAL_API_KEY"


async def test_a_wrong_key_is_found_by_listing_models(upstream: Upstream, served: Served) -> None:
    upstream.route("GET /v1/models", failure(401, {"detail": "Unauthorized"}))
    with pytest.raises(PreconditionError, match="Unauthorized") as failed:
        await served.client.models(refresh=True)
    assert failed.value.reason is Reason.CREDENTIALS_REJECTED
