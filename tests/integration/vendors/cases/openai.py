"""OpenAI, with answers as its description and its guides show them."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit_vendors.testing import binary, json_reply, sse

from tests.integration.vendors.matrix import Case, Refusal

DESCRIPTION = "openai/openapi.json"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)
MP3 = b"ID3\x04" + bytes(range(200))
ASKED_FOR_ALL = "the answer is one piece of JSON: stream is not a field of this request (openai/openapi.json)"


def refusal(status: int) -> dict[str, Any]:
    """An error as OpenAI writes it."""
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    error = {"message": f"made up: {status}", "type": "made_up_error", "param": None, "code": codes.get(status)}
    return {"error": error}


def _refused(status: int, reason: Reason, message: str, code: str | None, param: str = "", field: str = "") -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": param or None, "code": code}
    return Refusal(status, {"error": error}, reason, field)


_LONG = "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens."
REFUSALS = (
    _refused(400, Reason.CONTEXT_TOO_LONG, _LONG, "context_length_exceeded", "messages"),
    _refused(429, Reason.QUOTA_EXCEEDED, "You exceeded your current quota.", "insufficient_quota"),
    _refused(400, Reason.CONTENT_REFUSED, "Rejected by the safety system.", "content_policy_violation"),
    _refused(403, Reason.CREDENTIALS_REJECTED, "Your organization must be verified.", None),
    _refused(413, Reason.INPUT_TOO_LARGE, "Maximum content size limit exceeded.", None),
)


def wrong(param: str, field: str) -> Refusal:
    """A value that OpenAI refuses, by its name and by ours."""
    return _refused(400, Reason.INPUT_INVALID, "Unsupported value.", "unsupported_value", param, field)


ERROR_EVENT = b'data: {"error": {"message": "The server had an error", "type": "server_error", "code": null}}\n\n'
MODELS = {
    "GET /v1/models": json_reply(
        {
            "object": "list",
            "data": [
                {"id": name, "object": "model", "created": 1, "owned_by": "openai"}
                for name in (
                    "gpt-4o-mini",
                    "gpt-5",
                    "text-embedding-3-small",
                    "gpt-image-1.5",
                    "tts-1",
                    "gpt-4o-mini-tts",
                    "whisper-1",
                    "gpt-4o-transcribe",
                    "gpt-4o-transcribe-diarize",
                    "omni-moderation-latest",
                    "sora-2",
                )
            ],
        }
    )
}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of OpenAI's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": MODELS, "base": "/v1", "description": DESCRIPTION}
    return Case(vendor="openai", operation=operation, path=f"/v1{path}", check=check, **{**defaults, **more})


# -- chat -------------------------------------------------------------------------------------------------------------


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 0},
    "completion_tokens_details": None,
}


def _check_chat(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert dict(result.usage.units) == {"input-token": 10, "cached-input-token": 2, "output-token": 3}
    assert result.usage.nano_cost > 0
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert result.provenance.vendor_model == "gpt-4o-mini-2024-07-18"


CHAT = case(
    "chat",
    "/chat/completions",
    _check_chat,
    model="gpt-4o-mini",
    refusals=(*REFUSALS, wrong("temperature", "options.text.temperature")),
    keywords={"seed": 1, "text": {"temperature": 0.5, "stop": ["END"], "max_output_tokens": 50}, "system": "Be kind."},
    reply=sse(
        _chunk({"role": "assistant", "content": "", "refusal": None}),
        _chunk({"content": "Grü"}),
        _chunk({"content": "ße 👋"}),
        _chunk({}, "stop"),
        {**_chunk({}), "choices": [], "usage": USAGE},
        "[DONE]",
    ),
    first=2,
    stream_error=ERROR_EVENT,
)


def _piece(index: int, **more: Any) -> dict[str, Any]:
    return _chunk({"tool_calls": [{"index": index, **more}]})


def _check_tools(result: Result) -> None:
    assert result.text == "Let me see."
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [
        ("call_1", "wear", '{"hat":true}'),
        ("call_2", "wear", '{"hat":false}'),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS
    assert result.outputs[0].logprobs[0].alternatives[0].token == b"Well"


_LIKELY = {"token": "Let", "logprob": -0.1, "bytes": [76, 101, 116]}
CHAT_TOOLS = case(
    "chat",
    "/chat/completions",
    _check_tools,
    variant="with tools",
    model="gpt-4o-mini",
    keywords={
        "text": {
            "tools": [
                {
                    "name": "wear",
                    "description": "Puts it on.",
                    "strict": True,
                    "parameters_schema": {"type": "object", "properties": {"hat": {"type": "boolean"}}},
                }
            ],
            "tool_choice": "required",
            "allowed_tools": ["wear"],
            "parallel_tool_calls": True,
            "top_logprobs": 1,
            "json_schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        },
        "extra": {"service_tier": "default", "logit_bias": {"50256": -100}, "verbosity": "low"},
    },
    reply=sse(
        {
            **_chunk({}),
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": "Let"},
                    "logprobs": {
                        "content": [
                            {**_LIKELY, "top_logprobs": [{"token": "Well", "logprob": -2.0, "bytes": None}]},
                        ],
                        "refusal": None,
                    },
                }
            ],
        },
        _chunk({"content": " me see."}),
        _piece(0, id="call_1", type="function", function={"name": "wear", "arguments": ""}),
        _piece(1, id="call_2", type="function", function={"name": "wear", "arguments": '{"hat"'}),
        _piece(0, function={"arguments": '{"hat":true}'}),
        _piece(1, function={"arguments": ":false}"}),
        _chunk({}, "tool_calls"),
        {**_chunk({}), "choices": [], "usage": USAGE},
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


# -- responses --------------------------------------------------------------------------------------------------------

THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Looks"}, {"type": "summary_text", "text": "warm."}],
    "encrypted_content": "gAAAA-sealed",
}
SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "weather"},
}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "wear",
    "arguments": '{"hat":true}',
    "status": "completed",
}
SOURCE = {"type": "url_citation", "url": "https://example.com/", "title": "Weather", "start_index": 0, "end_index": 5}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Grüße 👋", "annotations": [SOURCE], "logprobs": []}],
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-5-2025-08-07",
    "service_tier": "flex",
    "output": [THOUGHT, SEARCH, MESSAGE, CALLED],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 150,
    },
}


def _response_events() -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**THOUGHT, "summary": []}},
        *_summary(0, "Looks"),
        *_summary(1, "warm."),
        {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
        {"type": "response.output_item.added", "output_index": 1, "item": {**SEARCH, "status": "in_progress"}},
        {"type": "response.web_search_call.searching", "output_index": 1, "item_id": "ws_1"},
        {"type": "response.output_item.done", "output_index": 1, "item": SEARCH},
        {"type": "response.output_item.added", "output_index": 2, "item": {**MESSAGE, "content": []}},
        *({**_of_message("response.output_text.delta"), "delta": text, "logprobs": []} for text in ("Grü", "ße 👋")),
        {**_of_message("response.output_text.annotation.added"), "annotation_index": 0, "annotation": SOURCE},
        {"type": "response.output_item.done", "output_index": 2, "item": MESSAGE},
        {"type": "response.output_item.added", "output_index": 3, "item": {**CALLED, "arguments": ""}},
        *(
            {"type": "response.function_call_arguments.delta", "output_index": 3, "item_id": "fc_1", "delta": text}
            for text in ('{"hat"', ":true}")
        ),
        {"type": "response.output_item.done", "output_index": 3, "item": CALLED},
        {"type": "response.news_of_a_later_day", "output_index": 3},
        {"type": "response.completed", "response": RESPONSE},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _summary(number: int, text: str) -> list[dict[str, Any]]:
    place = {"item_id": "rs_1", "output_index": 0, "summary_index": number}
    return [
        {
            "type": "response.reasoning_summary_part.added",
            **place,
            "part": {"type": "summary_text", "text": ""},
        },
        {"type": "response.reasoning_summary_text.delta", **place, "delta": text},
    ]


def _of_message(kind: str) -> dict[str, Any]:
    return {"type": kind, "item_id": "msg_1", "output_index": 2, "content_index": 0}


def _check_response(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert result.reasoning == "Looks\n\nwarm."
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [("call_1", "wear", '{"hat":true}')]
    hosted = result.outputs[1].part.tool_call
    assert (hosted.hosted, hosted.name) == (True, "web_search")
    (source,) = result.outputs[2].part.citations
    assert (source.uri, source.start_byte, source.end_byte) == ("https://example.com/", 0, 7)
    units = {"input-token": 80, "cached-input-token": 20, "output-token": 10, "reasoning-token": 40, "search": 1}
    assert dict(result.usage.units) == units
    assert result.usage.nano_cost == 80 * 625 + 20 * 62.5 + 50 * 5000 + 10_000_000  # the flex tier, and a search
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS
    assert result.provenance.vendor_model == "gpt-5-2025-08-07"
    assert result.provenance.vendor_response_id == "resp_1"


TOOL = {"name": "wear", "parameters_schema": {"type": "object", "properties": {"hat": {"type": "boolean"}}}}
RESPONSES = case(
    "responses",
    "/responses",
    _check_response,
    model="gpt-5",
    refusals=(*REFUSALS, wrong("max_output_tokens", "options.text.max_output_tokens")),
    content=["How is the weather?", Media(PNG, "image/png")],
    keywords={
        "system": "Be kind.",
        "text": {
            "tools": [TOOL, {"name": "web", "hosted_tool": "web_search", "extra": {"search_context_size": "low"}}],
            "allowed_tools": ["wear", "web"],
            "reasoning_effort": "low",
            "max_output_tokens": 500,
            "json_schema": {"type": "object", "properties": {}, "additionalProperties": False},
        },
        "extra": {"reasoning_summary": "auto", "verbosity": "low", "service_tier": "flex"},
    },
    reply=sse(*_response_events(), names=True),
    first=5,
    stream_error=b'event: error\ndata: {"type":"error","code":"server_error","message":"oh","param":null}\n\n',
)


# -- embeddings, moderation -------------------------------------------------------------------------------------------


def _vector(*values: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}
    assert result.usage.nano_cost == 160
    assert result.provenance.vendor_model == "text-embedding-3-small"


EMBEDDINGS = case(
    "embeddings",
    "/embeddings",
    _check_embeddings,
    model="text-embedding-3-small",
    content=[user("first"), user("second")],
    keywords={"embedding": {"dimensions": 2}},
    refusals=(*REFUSALS, wrong("dimensions", "options.embedding.dimensions")),
    streams=False,
    reply=json_reply(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [
                {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
                {"object": "embedding", "index": 0, "embedding": _vector(0.5, -0.25)},
            ],
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        }
    ),
)


def _check_moderation(result: Result) -> None:
    assert result.scores is not None
    found = [(s.input, s.label, s.flagged, round(s.value, 2)) for s in result.scores.scores]
    assert found == [(1, "violence", True, 0.9), (1, "hate", False, 0.2), (0, "hate", False, 0.1)]
    assert result.usage.nano_cost == 0


MODERATION = case(
    "moderation",
    "/moderations",
    _check_moderation,
    model="omni-moderation-latest",
    content=[user("nice"), user("nasty")],
    streams=False,
    reply=json_reply(
        {
            "id": "modr-1",
            "model": "omni-moderation-2024-09-26",
            "results": [
                {"flagged": False, "categories": {"hate": False, "illicit": None}, "category_scores": {"hate": 0.1}},
                {
                    "flagged": True,
                    "categories": {"hate": False, "violence": True},
                    "category_scores": {"hate": 0.2, "violence": 0.9},
                },
            ],
        }
    ),
)


# -- images -----------------------------------------------------------------------------------------------------------


def _image_events(kind: str) -> list[dict[str, Any]]:
    common = {"created_at": 1, "size": "1024x1536", "quality": "low", "background": "opaque", "output_format": "png"}
    usage = {
        "total_tokens": 308,
        "input_tokens": 36,
        "output_tokens": 272,
        "input_tokens_details": {"text_tokens": 16, "image_tokens": 20},
    }
    return [
        {
            "type": f"{kind}.partial_image",
            "b64_json": base64.b64encode(PNG[:20]).decode(),
            "partial_image_index": 0,
            **common,
        },
        {"type": f"{kind}.completed", "b64_json": base64.b64encode(PNG).decode(), "usage": usage, **common},
    ]


def _check_image(result: Result) -> None:
    assert result.data == PNG
    image, preview = result.outputs
    assert (image.media_type, image.info.width, image.info.height) == ("image/png", 1024, 1536)
    assert preview.started.preview_of == 0
    assert preview.data == PNG[:20]
    units = {"input-token": 16, "input-image-token": 20, "output-image-token": 272}
    assert dict(result.usage.units) == units
    assert result.usage.nano_cost == 5 * 16_000 + 8 * 20_000 + 32 * 272_000


def _check_images(result: Result) -> None:
    assert [output.data for output in result.outputs] == [PNG, PNG[:20]]
    assert [output.started.candidate for output in result.outputs] == [0, 1]
    assert dict(result.usage.units) == {"input-token": 16, "output-image-token": 272}


IMAGE = case(
    "images",
    "/images/generations",
    _check_image,
    model="gpt-image-1.5",
    content="a cat",
    keywords={"image": {"aspect_ratio": "2:3", "quality": "low", "previews": 1}, "extra": {"background": "opaque"}},
    reply=sse(*_image_events("image_generation"), names=True),
    refusals=(*REFUSALS, wrong("size", "options.image.width"), wrong("prompt", "turns")),
    stream_error=ERROR_EVENT,
)
IMAGES = case(
    "images",
    "/images/generations",
    _check_images,
    variant="several",
    model="gpt-image-1.5",
    content="a cat",
    keywords={"candidates": 2, "image": {"width": 1024, "height": 1024}, "output_media_types": ["image/png"]},
    streams=False,
    reply=json_reply(
        {
            "created": 1,
            "output_format": "png",
            "size": "1024x1024",
            "data": [{"b64_json": base64.b64encode(data).decode()} for data in (PNG, PNG[:20])],
            "usage": {
                "total_tokens": 288,
                "input_tokens": 16,
                "output_tokens": 272,
                "input_tokens_details": {"text_tokens": 16, "image_tokens": 0},
            },
        }
    ),
)
IMAGE_EDIT = case(
    "image edits",
    "/images/edits",
    _check_image,
    model="gpt-image-1.5",
    content=["a hat on it", Media(PNG, "image/png")],
    keywords={
        "inputs": {"mask": Media(PNG, "image/png")},
        "image": {"quality": "low", "previews": 1},
        "extra": {"input_fidelity": "high"},
    },
    reply=sse(*_image_events("image_edit"), names=True),
    refusals=(*REFUSALS, wrong("quality", "options.image.quality")),
    stream_error=ERROR_EVENT,
)


# -- speech and transcription -----------------------------------------------------------------------------------------


def _check_speech(result: Result) -> None:
    assert result.data == MP3
    assert result.outputs[0].media_type == "audio/mpeg"
    assert dict(result.usage.units) == {"character": 5}
    assert result.usage.nano_cost == 75_000


SPEECH = case(
    "speech",
    "/audio/speech",
    _check_speech,
    model="tts-1",
    content="Hello",
    keywords={"audio": {"voice": "nova", "speed": 1.5}},
    reply=binary(MP3, "audio/mpeg", piece=50),
    refusals=(*REFUSALS, wrong("voice", "options.audio.voice")),
)


def _check_told_speech(result: Result) -> None:
    assert result.data == bytes([2, 1, 4, 3])  # big-endian, as audio/L16 is
    assert result.outputs[0].media_type.startswith("audio/L16")
    assert dict(result.usage.units) == {"input-token": 14, "output-audio-token": 101}
    assert result.usage.nano_cost == 14 * 600 + 101 * 12_000


TOLD_SPEECH = case(
    "speech",
    "/audio/speech",
    _check_told_speech,
    variant="told how",
    model="gpt-4o-mini-tts",
    content="Hello",
    keywords={"system": "Whisper.", "output_media_types": ["audio/L16"]},
    reply=sse(
        {"type": "speech.audio.delta", "audio": base64.b64encode(bytes([1, 2, 3])).decode()},
        {"type": "speech.audio.delta", "audio": base64.b64encode(bytes([4])).decode()},
        {
            "type": "speech.audio.done",
            "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115},
        },
    ),
    stream_error=ERROR_EVENT,
)


def _check_transcription(result: Result) -> None:
    assert result.text == "Good morning. Coffee?"
    assert result.transcript is not None
    assert result.transcript.language == "en"
    first, second = result.transcript.segments
    assert [word.text for word in first.words] == ["Good", "morning"]
    assert [word.text for word in second.words] == ["Coffee"]
    assert second.start_offset.ToMilliseconds() == 1500
    assert dict(result.usage.units) == {"input-audio-millisecond": 3000}
    assert result.usage.nano_cost == 300_000


def _segment(number: int, start: float, end: float, text: str) -> dict[str, Any]:
    about = {"seek": 0, "tokens": [1], "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.0}
    return {"id": number, "start": start, "end": end, "text": text, "no_speech_prob": 0.01, **about}


TRANSCRIPTION = case(
    "transcription",
    "/audio/transcriptions",
    _check_transcription,
    model="whisper-1",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"times": "word", "language": "en-GB", "vocabulary": ["coffee"]}},
    refusals=(*REFUSALS, wrong("language", "options.transcript.language")),
    streams=False,
    reply=json_reply(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 3.0,
            "text": "Good morning. Coffee?",
            "segments": [_segment(0, 0.0, 1.5, "Good morning."), _segment(1, 1.5, 3.0, " Coffee?")],
            "words": [
                {"word": "Good", "start": 0.0, "end": 0.5},
                {"word": "morning", "start": 0.5, "end": 1.4},
                {"word": "Coffee", "start": 1.5, "end": 2.0},
            ],
            "usage": {"type": "duration", "seconds": 3},
        }
    ),
)


def _check_translation(result: Result) -> None:
    assert result.text == "Good morning."
    assert dict(result.usage.units) == {"input-audio-millisecond": 1500}


TRANSLATION = case(
    "transcription",
    "/audio/translations",
    _check_translation,
    variant="translated",
    model="whisper-1",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"translate_to": "en"}},
    streams=False,
    reply=json_reply(
        {
            "task": "translate",
            "language": "english",
            "duration": 1.5,
            "text": "Good morning.",
            "segments": [_segment(0, 0.0, 1.5, "Good morning.")],
        }
    ),
)


def _check_streamed(result: Result) -> None:
    assert result.text == "Good morning"
    assert dict(result.usage.units) == {"input-token": 3, "input-audio-token": 30, "output-token": 4}
    assert result.usage.nano_cost == 33 * 2_500 + 4 * 10_000


_HEARD = {
    "type": "tokens",
    "input_tokens": 33,
    "output_tokens": 4,
    "total_tokens": 37,
    "input_token_details": {"text_tokens": 3, "audio_tokens": 30},
}
STREAMED = case(
    "transcription, streamed",
    "/audio/transcriptions",
    _check_streamed,
    model="gpt-4o-transcribe",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"language": "en"}, "text": {"top_logprobs": 0}, "system": "About breakfast."},
    reply=sse(
        {
            "type": "transcript.text.delta",
            "delta": "Good",
            "logprobs": [{"token": "Good", "logprob": -0.1, "bytes": [71, 111, 111, 100]}],
        },
        {"type": "transcript.text.delta", "delta": " morning"},
        {"type": "transcript.text.done", "text": "Good morning", "usage": _HEARD},
    ),
    stream_error=ERROR_EVENT,
)


def _check_diarized(result: Result) -> None:
    assert result.transcript is not None
    found = [(s.speaker, s.text, s.start_offset.ToMilliseconds()) for s in result.transcript.segments]
    assert found == [("agent", "Hello.", 0), ("A", " Hi!", 1200)]
    assert result.usage.units["input-audio-token"] == 30


def _said(number: int, speaker: str, start: float, end: float, text: str) -> dict[str, Any]:
    about = {"type": "transcript.text.segment", "id": f"seg_{number}", "speaker": speaker}
    return {**about, "start": start, "end": end, "text": text}


DIARIZED = case(
    "transcription, streamed",
    "/audio/transcriptions",
    _check_diarized,
    variant="by speakers",
    model="gpt-4o-transcribe-diarize",
    content=Media(WAV, "audio/wav"),
    keywords={
        "transcript": {"speakers": True},
        "extra": {"known_speaker_names": ["agent"]},
        "inputs": {"voice": Media(WAV, "audio/wav")},
    },
    reply=sse(
        _said(1, "agent", 0.0, 1.1, "Hello."),
        {"type": "transcript.text.delta", "delta": "Hello.", "segment_id": "seg_1"},
        _said(2, "A", 1.2, 2.0, " Hi!"),
        {"type": "transcript.text.done", "text": "Hello. Hi!", "usage": _HEARD},
    ),
    stream_error=ERROR_EVENT,
)


# -- video ------------------------------------------------------------------------------------------------------------

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(300)


def _video(status: str, progress: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("completed_at", "expires_at", "remixed_from_video_id", "error", "prompt"))
    return {
        "id": "video_1",
        "object": "video",
        "model": "sora-2",
        "status": status,
        "progress": progress,
        "created_at": 1,
        "size": "1280x720",
        "seconds": "8",
        **nothing,
    }


def _check_video(result: Result) -> None:
    assert result.data == MP4
    (video,) = result.outputs
    assert (video.media_type, video.info.width) == ("video/mp4", 1280)
    assert dict(result.usage.units) == {"video-millisecond": 8000}
    assert result.usage.nano_cost == 800_000_000
    assert result.provenance.vendor_response_id == "video_1"
    assert result.checkpoint is not None


_SUBMITTED = json_reply(_video("queued", 0))
_STANDS = [json_reply(_video("in_progress", 40)), json_reply(_video("completed", 100))]
_ASKED: dict[str, Any] = {
    "model": "sora-2",
    "content": "a cat",
    "settings": {"poll_interval": 0.01},
    "keywords": {"video": {"duration": 8, "frame": {"aspect_ratio": "16:9"}}},
}
VIDEO = case(
    "video",
    "/videos",
    _check_video,
    variant="submitted",
    refusals=(*REFUSALS, wrong("seconds", "options.video.duration")),
    reply=_SUBMITTED,
    streams=False,
    routes={
        **MODELS,
        "GET /v1/videos/video_1": _STANDS,
        "GET /v1/videos/video_1/content": binary(MP4, "video/mp4"),
    },
    **_ASKED,
)
VIDEO_FETCHED = case(
    "video",
    "/videos/video_1/content",
    _check_video,
    method="GET",
    variant="fetched",
    reply=binary(MP4, "video/mp4", piece=100),
    routes={**MODELS, "POST /v1/videos": _SUBMITTED, "GET /v1/videos/video_1": _STANDS},
    **_ASKED,
)
VIDEO_FROM_IMAGE = case(
    "video",
    "/videos",
    _check_video,
    variant="from an image",
    reply=_SUBMITTED,
    streams=False,
    routes=VIDEO.routes,
    **{**_ASKED, "content": ["a cat", Media(PNG, "image/png")]},
)

CASES = (
    CHAT,
    CHAT_TOOLS,
    RESPONSES,
    EMBEDDINGS,
    IMAGE,
    IMAGES,
    IMAGE_EDIT,
    SPEECH,
    TOLD_SPEECH,
    TRANSCRIPTION,
    TRANSLATION,
    STREAMED,
    DIARIZED,
    MODERATION,
    VIDEO,
    VIDEO_FETCHED,
    VIDEO_FROM_IMAGE,
)
NOT_APPLICABLE: dict[str, str] = {}
