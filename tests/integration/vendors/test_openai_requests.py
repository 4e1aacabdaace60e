"""What callers may ask of OpenAI's models, how it is put to the vendor, and what is refused without asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from mediaconduit import Media, system, user
from mediaconduit.errors import InvalidRequestError, MediaConduitError, Reason
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Request, Upstream, binary, json_reply

from tests.integration.vendors.cases import openai
from tests.support.vendors.providers import provider_class

PNG, WAV = Media(openai.PNG, "image/png"), Media(openai.WAV, "audio/wav")


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    async with Upstream(openai.MODELS) as upstream:
        yield upstream


@pytest.fixture
async def served(upstream: Upstream) -> AsyncIterator[Served]:
    settings = {"base_url": f"{upstream.url}/v1", "poll_interval": 0.01}
    async with serve(provider_class("openai")(), provider_id="openai", settings=settings) as served:
        yield served


@pytest.mark.parametrize(
    ("model", "content", "keywords", "field"),
    [
        ("text-embedding-3-small", [system("Be kind."), user("hi")], {}, "turns[0]"),
        ("gpt-image-1.5", "a cat", {"image": {"width": 512}}, "options.image.height"),
        (
            "gpt-image-1.5",
            "a cat",
            {"image": {"width": 512, "height": 512, "aspect_ratio": "1:1"}},
            "options.image.aspect_ratio",
        ),
        ("gpt-image-1.5", "a cat", {"candidates": 2, "image": {"previews": 1}}, "options.image.previews"),
        ("gpt-image-1.5", "", {}, "turns"),
        ("gpt-image-1.5", PNG, {}, "turns"),
        ("tts-1", [system("Whisper."), user("hi")], {}, "turns[0]"),
        ("tts-1", "", {}, "turns"),
        ("whisper-1", WAV, {"transcript": {"translate_to": "en", "language": "de"}}, "options.transcript.language"),
        ("gpt-4o-transcribe-diarize", [system("Names."), WAV], {}, "turns[0]"),
        (
            "gpt-4o-transcribe-diarize",
            WAV,
            {"extra": {"known_speaker_names": ["Ann"]}},
            "options.extra.known_speaker_names",
        ),
        ("sora-2", ["a cat", PNG, PNG], {}, "turns[0].parts[2]"),
        ("sora-2", "a cat", {"video": {"frame": {"height": 720}}}, "options.video.frame.width"),
        ("sora-2", "longer", {"video": {"edit": "extend"}}, "turns"),
        ("gpt-5", "hi", {"text": {"tools": [{"name": "pc", "hosted_tool": "computer"}]}}, "options.text.tools[0]"),
        ("gpt-5", "hi", {"text": {"allowed_tools": ["gone"], "tools": [openai.TOOL]}}, "options.text.allowed_tools"),
        ("gpt-4o-mini", "hi", {"text": {"json_schema": "[]"}}, "options.text.json_schema"),
        ("gpt-4o-mini", "hi", {"audio": {"voice": "ash"}}, "options.audio.voice"),
    ],
)
async def test_what_cannot_be_asked_is_refused_here(
    model: str, content: Any, keywords: dict[str, Any], field: str, upstream: Upstream, served: Served
) -> None:
    with pytest.raises(InvalidRequestError) as failed:
        await served.model(model).transform(content, **keywords)
    assert failed.value.reason is Reason.INPUT_INVALID
    assert failed.value.fields[0].field.startswith(field), failed.value
    assert all(request.method == "GET" for request in upstream.requests)


async def test_subtitles_are_made_by_the_vendor(upstream: Upstream, served: Served) -> None:
    subtitles = "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n"
    upstream.route("POST /v1/audio/transcriptions", binary(subtitles.encode(), "text/plain"))
    result = await served.model("whisper-1").transform(WAV, output_media_types=["application/x-subrip"])
    assert (result.text, result.outputs[0].media_type) == (subtitles, "application/x-subrip")
    assert upstream.requests[-1].field("response_format").text == "srt"
    assert dict(result.usage.units) == {"input-audio-millisecond": 1000}
    assert result.usage.estimated


async def test_items_with_images_are_judged_one_by_one(upstream: Upstream, served: Served) -> None:
    def judged(request: Request) -> Any:
        seen = [piece["type"] for piece in request.json["input"]]
        score = 0.9 if "image_url" in seen else 0.1
        return json_reply({"results": [{"categories": {}, "category_scores": {"violence": score}}]})

    upstream.route("POST /v1/moderations", judged)
    result = await served.model("omni-moderation-latest").transform([user("nice"), user("look", PNG)])
    assert result.scores is not None
    assert [(score.input, score.value) for score in result.scores.scores] == [(1, 0.9), (0, 0.1)]
    image = upstream.requests[-1].json["input"][1]["image_url"]["url"]
    assert image.startswith("data:image/png;base64,")


async def test_a_models_own_voice_is_named_as_one(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/audio/speech", openai.TOLD_SPEECH.reply)
    model = served.model("gpt-4o-mini-tts")
    await model.transform("hi", audio={"voice": "voice_123"}, output_media_types=["audio/flac"])
    asked = upstream.requests[-1].json
    assert (asked["voice"], asked["response_format"]) == ({"id": "voice_123"}, "flac")


async def test_documents_and_images_go_in_as_the_vendor_takes_them(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/responses", openai.RESPONSES.reply)
    upstream.route("POST /v1/chat/completions", openai.CHAT.reply)
    content = ["What is this?", PNG, Media(b"%PDF-1.4", "application/pdf")]
    await served.model("gpt-5").transform(content)
    pieces = upstream.requests[-1].json["input"][0]["content"]
    assert [piece["type"] for piece in pieces] == ["input_text", "input_image", "input_file"]
    assert pieces[2]["file_data"].startswith("data:application/pdf;base64,")
    await served.model("gpt-4o-mini").transform(content)
    pieces = upstream.requests[-1].json["messages"][0]["content"]
    assert [piece["type"] for piece in pieces] == ["text", "image_url", "file"]


async def test_calls_of_one_conversation_share_a_cache(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/chat/completions", openai.CHAT.reply)
    upstream.route("POST /v1/responses", openai.RESPONSES.reply)
    for model in ("gpt-4o-mini", "gpt-5"):
        await served.model(model).transform("hi", affinity_key="conversation-7")
        assert upstream.requests[-1].json["prompt_cache_key"] == "conversation-7"
    await served.model("gpt-5").transform("hi", affinity_key="a", extra={"prompt_cache_key": "mine"})
    assert upstream.requests[-1].json["prompt_cache_key"] == "mine"


@pytest.mark.parametrize(("model", "field"), [("gpt-4o-mini", "messages"), ("gpt-5", "input")])
async def test_any_json_is_asked_for_in_words_too(model: str, field: str, upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/chat/completions", openai.CHAT.reply)
    upstream.route("POST /v1/responses", openai.RESPONSES.reply)
    for text, turns in (("hi", 2), ("hi, in JSON", 1)):
        await served.model(model).transform(text, text={"json_schema": {}})
        assert len(upstream.requests[-1].json[field]) == turns
    assert "json_object" in upstream.requests[-1].body.decode()


async def test_a_video_that_failed_says_why(upstream: Upstream, served: Served) -> None:
    upstream.route("POST /v1/videos", json_reply(openai._video("queued", 0)))
    failed = {**openai._video("failed", 30), "error": {"code": "moderation_blocked", "message": "Not that."}}
    upstream.route("GET /v1/videos/video_1", json_reply(failed))
    with pytest.raises(MediaConduitError, match="Not that") as raised:
        await served.model("sora-2").transform("a cat")
    assert raised.value.reason is Reason.CONTENT_REFUSED
