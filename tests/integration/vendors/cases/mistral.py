"""Mistral, with answers as its description and its guides show them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Part, Role, ToolCall, ToolResult, Turn
from mediaconduit.v1.options_pb2 import Tool
from mediaconduit_vendors.testing import json_reply, sse

from tests.integration.vendors.matrix import Case, Refusal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
PDF = b"%PDF-1.7\n" + bytes(range(64))
MP3 = b"ID3\x04" + bytes(range(200))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)


def refusal(status: int) -> dict[str, Any]:
    """An error as Mistral writes it."""
    if status == 401:
        return {"detail": "Unauthorized"}
    kinds = {404: ("invalid_model", "1500"), 429: ("rate_limited", "1300")}
    kind, code = kinds.get(status, ("internal_server_error", "1000"))
    return {"object": "error", "message": f"made up: {status}", "type": kind, "param": None, "code": code}


def _refused(status: int, reason: Reason, message: Any, kind: str, field: str = "") -> Refusal:
    return Refusal(status, {"object": "error", "message": message, "type": kind, "param": None}, reason, field)


def wrong(place: list[Any], field: str, *, inside: bool = False) -> Refusal:
    """A value that Mistral refuses, by its name and by ours."""
    detail = {"detail": [{"loc": ["body", *place], "msg": "Input should be less", "type": "less_than_equal"}]}
    body = {"object": "error", "message": detail, "type": "invalid_request_error"} if inside else detail
    return Refusal(422, body, Reason.INPUT_INVALID, field)


_LONG = "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
REFUSALS = (
    _refused(400, Reason.MODEL_NOT_FOUND, "Invalid model: made-up", "invalid_model"),
    _refused(400, Reason.CONTEXT_TOO_LONG, _LONG, "invalid_request_prompt"),
    _refused(402, Reason.QUOTA_EXCEEDED, "Add a payment method.", "payment_required"),
)


def _entry(model_id: str, **capabilities: bool) -> dict[str, Any]:
    return {
        "id": model_id,
        "object": "model",
        "created": 1795000000,
        "owned_by": "mistralai",
        "capabilities": {"completion_chat": False, "function_calling": False, "vision": False, **capabilities},
        "name": model_id,
        "description": None,
        "max_context_length": 131072,
        "aliases": [],
        "deprecation": None,
        "type": "base",
    }


ROUTES = {
    "GET /v1/models": json_reply(
        {
            "object": "list",
            "data": [
                _entry("magistral-medium-latest", completion_chat=True, function_calling=True, vision=True),
                _entry("mistral-small-latest", completion_chat=True, function_calling=True, vision=True),
                _entry("mistral-embed"),
                _entry("mistral-ocr-latest", ocr=True, vision=True),
                _entry("voxtral-mini-tts-latest"),
                _entry("voxtral-mini-latest", audio=True, audio_transcription=True),
            ],
        }
    )
}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of Mistral's."""
    defaults: dict[str, Any] = {
        "errors": refusal,
        "routes": ROUTES,
        "base": "/v1",
        "description": "mistral/openapi.yaml",
    }
    return Case(vendor="mistral", operation=operation, path=f"/v1{path}", check=check, **{**defaults, **more})


# -- chat -------------------------------------------------------------------------------------------------------------

USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_audio_seconds": None,
    "num_cached_tokens": 2,
    "prompt_tokens_details": None,
}
ERROR = b'data: {"object": "error", "error": {"message": "oh", "type": "internal_server_error"}}\n\n'


def chunk(content: Any, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A piece of an answer."""
    return {
        "id": "cmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "mistral-small-2603",
        "choices": [{"index": 0, "delta": {"content": content, **delta}, "finish_reason": finish}],
    }


WEATHER = Tool(name="weather", description="Tells the weather.", parameters_schema='{"type": "object"}')


def _check_chat(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert dict(result.usage.units) == {"input-token": 10, "cached-input-token": 2, "output-token": 3}
    assert result.usage.nano_cost == 3330
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert result.provenance.vendor_model == "mistral-small-2603"


CHAT = case(
    "chat",
    "/chat/completions",
    _check_chat,
    model="mistral-small-latest",
    content=[user("hi", Media(PNG, "image/png"), Media(PDF, "application/pdf"))],
    refusals=(
        *REFUSALS,
        wrong(["temperature"], "options.text.temperature"),
        wrong(["messages", 0, "content"], "turns", inside=True),
    ),
    keywords={
        "seed": 1,
        "system": "Be kind.",
        "text": {"temperature": 0.5, "stop": ["END"], "max_output_tokens": 50, "reasoning_effort": "high"},
        "extra": {"safe_prompt": True},
    },
    reply=sse(
        chunk("", role="assistant"),
        chunk("Grü"),
        chunk("ße 👋"),
        {**chunk("", "stop"), "usage": USAGE},
        "[DONE]",
    ),
    first=2,
    stream_error=ERROR,
)
TURNS = [
    user("and in Köln and Bonn?"),
    Turn(
        role=Role.ROLE_ASSISTANT,
        parts=[Part(tool_call=ToolCall(id="a1b2c3d4e", name="weather", arguments='{"city": "Trier"}'))],
    ),
    Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result=ToolResult(call_id="a1b2c3d4e", parts=[Part(text="rain")]))]),
]


def _called(index: int, arguments: Any) -> dict[str, Any]:
    return {"id": f"call{index}", "index": index, "function": {"name": "weather", "arguments": arguments}}


def _check_tools(result: Result) -> None:
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [
        ("call0", "weather", '{"city": "Köln"}'),
        ("call1", "weather", '{"city": "Bonn"}'),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS


TOOLS = case(
    "chat",
    "/chat/completions",
    _check_tools,
    variant="tools",
    model="mistral-small-latest",
    content=TURNS,
    keywords={
        "text": {
            "tools": [WEATHER, Tool(name="now")],
            "tool_choice": "TOOL_CHOICE_REQUIRED",
            "parallel_tool_calls": True,
        }
    },
    reply=sse(
        chunk("", tool_calls=[_called(0, '{"city": "Köln"}')]),
        {**chunk("", "tool_calls", tool_calls=[_called(1, '{"city": "Bonn"}')]), "usage": USAGE},
        "[DONE]",
    ),
    stream_error=ERROR,
)


def thinking(text: str) -> list[dict[str, Any]]:
    """A piece of reasoning."""
    return [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]


def _check_reasoning(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They say hi.")


REASONING = case(
    "chat",
    "/chat/completions",
    _check_reasoning,
    variant="reasoning",
    model="magistral-medium-latest",
    keywords={"extra": {"prompt_mode": "reasoning"}, "text": {"json_schema": '{"type": "object"}'}},
    reply=sse(
        chunk(thinking("They ")),
        chunk(thinking("say hi.")),
        chunk([{"type": "text", "text": "Grü"}]),
        chunk("ße 👋"),
        {**chunk("", "stop"), "usage": USAGE},
        "[DONE]",
    ),
    stream_error=ERROR,
)

# -- embeddings -------------------------------------------------------------------------------------------------------


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}
    assert result.usage.nano_cost == 800


VECTORS = [[1.0, 0.0], [0.5, -0.25]]
EMBEDDINGS = case(
    "embeddings",
    "/embeddings",
    _check_embeddings,
    model="mistral-embed",
    content=[user("first"), user("second")],
    keywords={"embedding": {"dimensions": 2}},
    refusals=(wrong(["output_dimension"], "options.embedding.dimensions"),),
    streams=False,
    reply=json_reply(
        {
            "id": "emb-1",
            "object": "list",
            "model": "mistral-embed",
            "data": [
                {"object": "embedding", "index": 1 - number, "embedding": vector}
                for number, vector in enumerate(VECTORS)
            ],
            "usage": {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8},
        }
    ),
)

# -- ocr --------------------------------------------------------------------------------------------------------------

PAGES: list[dict[str, Any]] = [
    {
        "index": 0,
        "markdown": "# Grüße\n\n![img-0.jpeg](img-0.jpeg)",
        "images": [
            {
                "id": "img-0.jpeg",
                "top_left_x": 1,
                "top_left_y": 2,
                "bottom_right_x": 3,
                "bottom_right_y": 4,
                "image_base64": f"data:image/jpeg;base64,{base64.b64encode(PNG).decode()}",
            }
        ],
        "dimensions": {"dpi": 200, "height": 2200, "width": 1700},
    },
    {
        "index": 1,
        "markdown": "See [tbl-0.md](tbl-0.md).",
        "images": [],
        "tables": [{"id": "tbl-0.md", "content": "|a|\n|-|", "format": "markdown"}],
        "dimensions": None,
    },
]
READ = {
    "pages": PAGES,
    "model": "mistral-ocr-2512",
    "document_annotation": None,
    "usage_info": {"pages_processed": 2, "doc_size_bytes": 73},
}


def _check_ocr(result: Result) -> None:
    assert result.text == "# Grüße\n\n![img-0.jpeg](img-0.jpeg)\n\nSee |a|\n|-|."
    [image] = [output for output in result.outputs if output.data]
    assert (image.data, image.media_type, image.name) == (PNG, "image/jpeg", "img-0.jpeg")
    assert dict(result.usage.units) == {"page": 2}
    assert result.usage.nano_cost == 8_000_000


OCR = case(
    "ocr",
    "/ocr",
    _check_ocr,
    model="mistral-ocr-latest",
    content=Media(PDF, "application/pdf"),
    keywords={"extra": {"pages": [0, 1], "include_image_base64": True, "image_limit": 5, "table_format": "markdown"}},
    refusals=(*REFUSALS, wrong(["pages"], "options.extra.pages")),
    streams=False,
    reply=json_reply(READ),
)


def _check_annotated(result: Result) -> None:
    assert result.json() == {"sender": "Köln"}
    assert dict(result.usage.units) == {"annotated-page": 2}


ANNOTATED = case(
    "ocr",
    "/ocr",
    _check_annotated,
    variant="by a schema",
    model="mistral-ocr-latest",
    content=["Who sent it?", Media(PNG, "image/png")],
    keywords={"text": {"json_schema": '{"type": "object", "properties": {"sender": {"type": "string"}}}'}},
    streams=False,
    reply=json_reply({**READ, "pages": [PAGES[1]], "document_annotation": '{"sender": "Köln"}'}),
)

# -- speech -----------------------------------------------------------------------------------------------------------


def _check_speech(result: Result) -> None:
    assert result.data == MP3
    assert dict(result.usage.units) == {"character": 12}
    assert result.usage.nano_cost == 192_000


def _audio(data: bytes) -> dict[str, Any]:
    return {"type": "speech.audio.delta", "audio_data": base64.b64encode(data).decode()}


SPEECH = case(
    "speech",
    "/audio/speech",
    _check_speech,
    model="voxtral-mini-tts-latest",
    content="Good morning",
    keywords={"audio": {"voice": "en_paul_neutral"}},
    refusals=(*REFUSALS, wrong(["voice_id"], "options.audio.voice")),
    reply=sse(
        _audio(MP3[:100]),
        _audio(MP3[100:]),
        {"type": "speech.audio.done", "usage": {"prompt_tokens": 8, "completion_tokens": 40, "total_tokens": 48}},
        names=True,
    ),
    stream_error=ERROR,
)
CLONED = case(
    "speech",
    "/audio/speech",
    _check_speech,
    variant="by a sample",
    model="voxtral-mini-tts-latest",
    content="Good morning",
    keywords={"inputs": {"voice": Media(WAV, "audio/wav")}, "output_media_types": ["audio/mpeg"]},
    reply=SPEECH.reply,
    stream_error=ERROR,
)

# -- transcription ----------------------------------------------------------------------------------------------------

HEARD = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 110, "prompt_audio_seconds": 8}
SEGMENTS = [
    {"type": "transcription.segment", "text": "Good ", "start": 0.0, "end": 0.5, "speaker_id": "speaker_1"},
    {"type": "transcription.segment", "text": "morning.", "start": 0.5, "end": 1.25, "speaker_id": "speaker_2"},
]
LANGUAGE = {"type": "transcription.language", "audio_language": "en"}
DONE = {
    "type": "transcription.done",
    "model": "voxtral-mini-2602",
    "text": "Good morning.",
    "language": "en",
    "segments": [],
    "usage": HEARD,
}


def _check_transcription(result: Result) -> None:
    assert result.transcript is not None
    assert result.text == "Good morning."
    assert dict(result.usage.units) == {"input-audio-millisecond": 8000}
    assert result.usage.nano_cost == 400_000


TRANSCRIPTION = case(
    "transcription",
    "/audio/transcriptions",
    _check_transcription,
    model="voxtral-mini-latest",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"language": "en-GB", "vocabulary": ["Köln"]}, "text": {"temperature": 0.25}},
    refusals=(*REFUSALS, wrong(["context_bias", 0], "options.transcript.vocabulary")),
    reply=sse(
        LANGUAGE,
        {"type": "transcription.text.delta", "text": "Good "},
        {"type": "transcription.text.delta", "text": "morning."},
        DONE,
        names=True,
    ),
    first=2,
    stream_error=ERROR,
)


def _check_segments(result: Result) -> None:
    _check_transcription(result)
    assert result.transcript is not None
    assert [(each.text, each.speaker, each.end_offset.ToMilliseconds()) for each in result.transcript.segments] == [
        ("Good ", "speaker_1", 500),
        ("morning.", "speaker_2", 1250),
    ]


SPEAKERS = case(
    "transcription",
    "/audio/transcriptions",
    _check_segments,
    variant="speakers",
    model="voxtral-mini-latest",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"speakers": True, "times": "TIME_DETAIL_SEGMENT"}},
    reply=sse(LANGUAGE, *SEGMENTS, DONE, names=True),
    first=2,
    stream_error=ERROR,
)

CASES = [CHAT, TOOLS, REASONING, EMBEDDINGS, OCR, ANNOTATED, SPEECH, CLONED, TRANSCRIPTION, SPEAKERS]
NOT_APPLICABLE: dict[str, str] = {}
