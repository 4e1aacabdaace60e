"""OpenRouter, with answers as its description and its guides show them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration
from mediaconduit import Media, Result, user
from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_vendors.testing import Answer, binary, json_reply, sse

from tests.integration.vendors.matrix import Case, Refusal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
THINKER, PAINTER, DRAWER = "anthropic/claude-sonnet-4.5", "bytedance-seed/seedream-4.5", "google/gemini-image"


def refusal(status: int) -> dict[str, Any]:
    """An error as OpenRouter writes it."""
    return {"error": {"code": status, "message": f"made up: {status}"}, "user_id": "user_1"}


def _refused(status: int, reason: Reason, message: str, **metadata: Any) -> Refusal:
    return Refusal(status, {"error": {"code": status, "message": message, "metadata": metadata}}, reason)


REFUSALS = (
    _refused(400, Reason.CONTEXT_TOO_LONG, "Too long.", error_type="context_length_exceeded"),
    _refused(402, Reason.QUOTA_EXCEEDED, "Insufficient credits. Add more using https://openrouter.ai/credits"),
    _refused(403, Reason.CONTENT_REFUSED, "Request blocked: prompt injection patterns detected", patterns=["ignore"]),
    _refused(403, Reason.CREDENTIALS_REJECTED, "This key may not be used here."),
    _refused(400, Reason.INPUT_INVALID, "Invalid request parameters", error_type="invalid_request"),
    _refused(413, Reason.INPUT_TOO_LARGE, "Request payload too large"),
)
_BROKEN = {"code": 502, "message": "Provider disconnected", "metadata": {"error_type": "provider_unavailable"}}
_LAST = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
BROKE = f"data: {json.dumps({'id': 'gen-1', 'error': _BROKEN, 'choices': [_LAST]})}\n\n".encode()


def _entry(model_id: str, reads: list[str], makes: list[str], *parameters: str, **more: Any) -> dict[str, Any]:
    prices = {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003", "web_search": "0.01"}
    return {
        "id": model_id,
        "canonical_slug": model_id,
        "name": model_id.title(),
        "description": "Made up.\nFor tests.",
        "created": 1759161676,
        "context_length": 1000000,
        "architecture": {"input_modalities": reads, "output_modalities": makes, "tokenizer": "Other"},
        "pricing": prices,
        "top_provider": {"context_length": 1000000, "max_completion_tokens": 64000, "is_moderated": False},
        "supported_parameters": list(parameters),
        **more,
    }


ENTRIES = [
    _entry(
        THINKER,
        ["text", "image", "file"],
        ["text"],
        *("include_reasoning", "max_tokens", "reasoning", "response_format", "seed", "stop", "structured_outputs"),
        *("temperature", "tool_choice", "tools", "top_k", "top_p"),
        reasoning={"mandatory": False, "supports_max_tokens": True, "supported_efforts": ["high", "low"]},
    ),
    _entry(DRAWER, ["text", "image"], ["image", "text"], "temperature", "max_tokens"),
    _entry("openai/text-embedding-3-small", ["text"], ["embeddings"]),
    _entry("openai/gpt-4o-mini-tts", ["text"], ["speech"], supported_voices=["alloy", "nova"]),
    _entry("openai/whisper-1", ["audio"], ["transcription"]),
    _entry(
        "meta-llama/llama-3.3-70b-instruct:free",
        ["text"],
        ["text"],
        "max_tokens",
        pricing={"prompt": "0", "completion": "0"},
    ),
]
PAINTERS = [
    {
        "id": model_id,
        "name": "Seedream",
        "description": "A text-to-image model.",
        "created": 1692901234,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["image"]},
        "endpoints": f"/api/v1/images/models/{model_id}/endpoints",
        "supports_streaming": streams,
        "supported_parameters": {
            "resolution": {"type": "enum", "values": ["1K", "2K", "4K"]},
            "aspect_ratio": {"type": "enum", "values": ["1:1", "16:9"]},
            "n": {"type": "range", "min": 1, "max": 4},
            "seed": {"type": "boolean"},
            "output_format": {"type": "enum", "values": ["png", "jpeg"]},
            "input_references": {"type": "range", "min": 0, "max": 4},
        },
    }
    for model_id, streams in ((PAINTER, False), ("openai/gpt-image-2", True))
]
ROUTES: dict[str, Answer] = {
    "GET /api/v1/key": json_reply({"data": {"label": "sk-or-v1-au7...890", "is_free_tier": False, "usage": 25.5}}),
    "GET /api/v1/models": json_reply({"data": ENTRIES, "total_count": len(ENTRIES), "links": {"next": None}}),
    "GET /api/v1/images/models": json_reply({"data": PAINTERS}),
    "POST /api/v1/chat/completions": lambda request: (DRAWN if "modalities" in request.json else CHAT).reply,
}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of OpenRouter's."""
    defaults: dict[str, Any] = {
        "errors": refusal,
        "routes": ROUTES,
        "base": "/api/v1",
        "description": "openrouter/openapi.yaml",
        "refusals": REFUSALS,
    }
    return Case(vendor="openrouter", operation=operation, path=f"/api/v1{path}", check=check, **{**defaults, **more})


# -- chat with provider routing ---------------------------------------------------------------------------------------


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """A piece of an answer."""
    return {
        "id": "gen-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "anthropic/claude-4.5-sonnet-20250929",
        "provider": "Amazon Bedrock",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "", **delta}, "finish_reason": finish}],
    }


USAGE = {
    "prompt_tokens": 112,
    "completion_tokens": 20,
    "total_tokens": 132,
    "cost": 0.0125,
    "is_byok": False,
    "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 20, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8},
    "server_tool_use_details": {"web_search_requests": 1},
    "cost_details": {"upstream_inference_prompt_cost": 0.01, "upstream_inference_completions_cost": 0.0025},
}
USED = {**chunk({}), "choices": [], "usage": USAGE}
WEATHER = Tool(name="weather", description="Tells the weather.", parameters_schema='{"type": "object"}')
SEARCH = Tool(name="web", hosted_tool="web_search")
SEARCH.extra.update({"max_results": 3})
FORMAT = "anthropic-claude-v1"


def thinking(text: str, **more: Any) -> dict[str, Any]:
    """A piece of reasoning, as text and as what has to come back."""
    detail = {"type": "reasoning.text", "text": text, "format": FORMAT, "index": 0, **more}
    return {"reasoning": text or None, "reasoning_details": [detail]}


CITED = {
    "type": "url_citation",
    "url_citation": {"url": "https://example.org/a", "title": "A", "content": "…", "start_index": 0, "end_index": 5},
}


def _check_chat(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They say hi.")
    assert dict(result.usage.units) == {
        "input-token": 12,
        "cached-input-token": 80,
        "cache-write-token": 20,
        "output-token": 12,
        "reasoning-token": 8,
        "search": 1,
    }
    assert (result.usage.nano_cost, result.usage.currency) == (12_500_000, "USD")
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert result.provenance.vendor_model == "anthropic/claude-4.5-sonnet-20250929"
    [cited] = [citation for part in result.turn.parts for citation in part.citations]
    assert (cited.uri, cited.end_byte) == ("https://example.org/a", 7)


LONG = Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Be kind.", cache_ttl=Duration(seconds=3600))])
CHAT = case(
    "chat with provider routing",
    "/chat/completions",
    _check_chat,
    model=THINKER,
    content=[LONG, user("hi", Media(PNG, "image/png"))],
    keywords={
        "seed": 1,
        "text": {
            "temperature": 0.5,
            "top_k": 40,
            "stop": ["END"],
            "max_output_tokens": 500,
            "reasoning_effort": "high",
            "tools": [WEATHER, SEARCH],
        },
        "extra": {
            "provider": {
                "order": ["amazon-bedrock", "anthropic"],
                "allow_fallbacks": False,
                "data_collection": "deny",
                "sort": "throughput",
                "max_price": {"prompt": "5"},
                "quantizations": ["bf16", "unknown"],
            },
            "models": ["anthropic/claude-sonnet-4", "openai/gpt-5"],
            "plugins": [{"id": "web", "max_results": 3}, {"id": "context-compression"}],
            "session_id": "s-1",
        },
    },
    reply=sse(
        chunk(thinking("They ")),
        chunk(thinking("say hi.")),
        chunk(thinking("", signature="c2lnbmVk")),
        chunk({"content": "Grü"}),
        chunk({"content": "ße 👋", "annotations": [CITED]}),
        chunk({}, "stop"),
        USED,
        "[DONE]",
    ),
    stream_error=BROKE,
)
CALLED = [
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": '}},
    {"index": 0, "function": {"arguments": '"Köln"}'}},
    {"index": 1, "id": "call_2", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
]
SEALED = {"type": "reasoning.encrypted", "data": "c2VhbGVk", "id": "call_1", "format": "google-gemini-v1", "index": 1}


def _check_tools(result: Result) -> None:
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [
        ("call_1", "weather", '{"city": "Köln"}'),
        ("call_2", "weather", "{}"),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS


TOOLS = case(
    "chat with provider routing",
    "/chat/completions",
    _check_tools,
    variant="tools",
    model=THINKER,
    keywords={"text": {"tools": [WEATHER], "tool_choice": "TOOL_CHOICE_REQUIRED"}},
    reply=sse(
        chunk(thinking("Weather.", signature="c2lnbmVk")),
        *(chunk({"tool_calls": [piece]}) for piece in CALLED),
        chunk({"reasoning_details": [SEALED]}),
        chunk({}, "tool_calls"),
        USED,
        "[DONE]",
    ),
    stream_error=BROKE,
)


def _check_json(result: Result) -> None:
    assert result.json() == {"city": "Köln"}


JSON = case(
    "chat with provider routing",
    "/chat/completions",
    _check_json,
    variant="JSON",
    model=THINKER,
    keywords={"text": {"json_schema": '{"type": "object", "properties": {"city": {"type": "string"}}}'}},
    reply=sse(chunk({"content": '{"city": '}), chunk({"content": '"Köln"}'}), chunk({}, "stop"), USED, "[DONE]"),
    stream_error=BROKE,
)

# -- images -----------------------------------------------------------------------------------------------------------


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _check_images(result: Result) -> None:
    assert [(output.data, output.media_type) for output in result.outputs] == [(PNG, "image/png"), (JPEG, "image/jpeg")]
    assert result.usage.nano_cost == 40_000_000
    assert dict(result.usage.units) == {"output-image-token": 4175}


BILLED = {"completion_tokens": 4175, "cost": 0.04, "prompt_tokens": 0, "total_tokens": 4175}
IMAGES = case(
    "images",
    "/images",
    _check_images,
    model=PAINTER,
    content=["a lighthouse", Media(PNG, "image/png")],
    keywords={
        "capability": "image-to-image",
        "candidates": 2,
        "seed": 7,
        "image": {"aspect_ratio": "16:9", "resolution": "2K"},
        "output_media_types": ["image/png"],
        "extra": {"provider": {"only": ["seed"], "options": {"seed": {"watermark": False}}}},
    },
    streams=False,
    reply=json_reply({"created": 1, "data": [{"b64_json": b64(PNG)}, {"b64_json": b64(JPEG)}], "usage": BILLED}),
)


def _check_streamed(result: Result) -> None:
    [image] = [output for output in result.outputs if output.visible]
    assert (image.data, image.media_type) == (PNG, "image/png")
    assert result.usage.nano_cost == 40_000_000


STREAMED = case(
    "images",
    "/images",
    _check_streamed,
    variant="streamed",
    model="openai/gpt-image-2",
    content="a lighthouse",
    keywords={"image": {"aspect_ratio": "1:1"}},
    reply=sse(
        {"type": "image_generation.partial_image", "b64_json": b64(PNG[:16]), "partial_image_index": 0},
        {"type": "image_generation.completed", "created": 1, "b64_json": b64(PNG), "usage": BILLED},
        "[DONE]",
    ),
    stream_error=b'data: {"type": "error", "error": {"message": "oh", "code": "server_error", "type": null}}\n\n',
)


def _check_drawn(result: Result) -> None:
    [image] = [output for output in result.outputs if output.data]
    assert (result.text, image.data, image.media_type) == ("Here: ", PNG, "image/png")


DRAWN = case(
    "images",
    "/chat/completions",
    _check_drawn,
    variant="by a chat",
    model=DRAWER,
    content="a lighthouse",
    keywords={"capability": "text-to-image", "image": {"aspect_ratio": "16:9"}},
    reply=sse(
        chunk({"content": "Here: "}),
        chunk({"images": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(PNG)}"}}]}),
        chunk({}, "stop"),
        USED,
        "[DONE]",
    ),
    stream_error=BROKE,
)

# -- embeddings, speech, transcription --------------------------------------------------------------------------------


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}
    assert result.usage.nano_cost == 1000


EMBEDDINGS = case(
    "embeddings",
    "/embeddings",
    _check_embeddings,
    model="openai/text-embedding-3-small",
    content=[user("first"), user("second")],
    keywords={"embedding": {"dimensions": 2, "purpose": "query"}, "extra": {"provider": {"order": ["openai"]}}},
    streams=False,
    reply=json_reply(
        {
            "id": "emb-1",
            "object": "list",
            "model": "openai/text-embedding-3-small",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
                {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
            ],
            "usage": {"prompt_tokens": 8, "total_tokens": 8, "cost": 0.000001},
        }
    ),
)
MP3 = b"ID3\x04" + bytes(range(200))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)


def _check_speech(result: Result) -> None:
    assert result.data == MP3
    assert dict(result.usage.units) == {"character": 12}


SPEECH = case(
    "speech",
    "/audio/speech",
    _check_speech,
    model="openai/gpt-4o-mini-tts",
    content="Good morning",
    keywords={
        "audio": {"voice": "nova", "speed": 1.5},
        "output_media_types": ["audio/mpeg"],
        "extra": {"provider": {"options": {"openai": {"instructions": "Whisper."}}}},
    },
    reply=binary(MP3, "audio/mpeg", piece=100),
)
CLONED = case(
    "speech",
    "/audio/speech",
    _check_speech,
    variant="by a sample",
    model="openai/gpt-4o-mini-tts",
    content="Good morning",
    keywords={"inputs": {"voice": Media(WAV, "audio/wav"), "voice-text": "Hello there."}},
    reply=SPEECH.reply,
)


def _check_transcription(result: Result) -> None:
    assert result.transcript is not None
    assert (result.text, result.transcript.language) == ("Good morning.", "en")
    [segment] = result.transcript.segments
    assert (segment.speaker, segment.end_offset.ToMilliseconds()) == ("0", 1250)
    assert [word.text for word in segment.words] == ["Good", "morning."]
    assert dict(result.usage.units) == {"input-audio-millisecond": 1500}
    assert result.usage.nano_cost == 150_000


TRANSCRIPTION = case(
    "transcription",
    "/audio/transcriptions",
    _check_transcription,
    model="openai/whisper-1",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"language": "en-GB", "times": "TIME_DETAIL_WORD"}, "text": {"temperature": 0}},
    streams=False,
    reply=json_reply(
        {
            "task": "transcribe",
            "text": "Good morning.",
            "language": "en",
            "duration": 1.5,
            "segments": [{"id": 0, "start": 0.0, "end": 1.25, "text": "Good morning.", "speaker": 0}],
            "words": [
                {"word": "Good", "start": 0.0, "end": 0.5, "speaker": 0},
                {"word": "morning.", "start": 0.5, "end": 1.25, "speaker": 0},
            ],
            "usage": {"seconds": 1.5, "cost": 0.00015},
        }
    ),
)

CASES = [CHAT, TOOLS, JSON, IMAGES, STREAMED, DRAWN, EMBEDDINGS, SPEECH, CLONED, TRANSCRIPTION]
NOT_APPLICABLE: dict[str, str] = {}
