"""Together, with answers as its description and its guides show them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.errors import Reason
from mediaconduit.outputs import plain
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit.v1.media_pb2 import Asset
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import binary, json_reply, sse

from tests.integration.vendors.asking import REQUEST_ID
from tests.integration.vendors.matrix import Case, Refusal

DESCRIPTION = "together/openapi.yaml"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(range(200))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)
WEBM = b"\x1aE\xdf\xa3" + bytes(20)


def _listed(model_id: str, kind: str, price: float = 0, **more: Any) -> dict[str, Any]:
    pricing = {"hourly": 0, "input": price, "output": 2 * price, "base": 0, "finetune": 0}
    return {"id": model_id, "object": "model", "created": 1, "type": kind, "pricing": pricing, **more}


VOICES = json_reply(
    {
        "data": [
            {"model": "hexgrad/Kokoro-82M", "voices": [{"id": "1", "name": "af_alloy"}, {"id": "2", "name": "shared"}]},
            {
                "model": "cartesia/sonic-2",
                "voices": [{"id": "3", "name": "laidback woman"}, {"id": "2", "name": "shared"}],
            },
        ]
    }
)
LISTS = {
    "GET /v1/models": json_reply(
        [
            _listed("acme/talk-7B", "chat", 0.5, context_length=32768),
            _listed("acme/talk-VL-7B", "chat", 0.5),
            _listed("acme/base-7B", "language", 0.2),
            _listed("acme/embed", "embedding", 0.01),
            _listed("acme/rank", "rerank", 0.1),
            _listed("acme/draw", "image"),
            _listed("acme/film", "video"),
        ]
    ),
    "GET /v1/voices": VOICES,
}


def refusal(status: int) -> dict[str, Any]:
    """An error as Together writes it."""
    return {"error": {"message": f"made up: {status}", "type": "made_up_error", "param": None, "code": None}}


def wrong(param: str, field: str) -> Refusal:
    """A value that Together refuses, by its name and by ours."""
    error = {"message": "Unsupported value.", "type": "invalid_request_error", "param": param, "code": None}
    return Refusal(400, {"error": error}, Reason.INPUT_INVALID, field)


_LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens"
REFUSALS = (
    Refusal(403, {"error": {"message": _LONG, "type": "invalid_request_error"}}, Reason.CONTEXT_TOO_LONG),
    Refusal(402, {"error": {"message": "No credit.", "type": "credit_limit", "param": None}}, Reason.QUOTA_EXCEEDED),
)
ERROR_EVENT = b'data: {"error": {"message": "The server had an error", "type": "server_error", "code": null}}\n\n'


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of Together's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": LISTS, "description": DESCRIPTION}
    return Case(vendor="together", operation=operation, path=path, check=check, **{**defaults, **more})


# -- text -------------------------------------------------------------------------------------------------------------


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """The choice's members beside its delta are in `more`."""
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish, **more}
    about = {"id": "o1", "object": "chat.completion.chunk", "created": 1, "model": "acme/talk-7B"}
    return {**about, "choices": [choice], "usage": None}


def _last(finish: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {**_chunk({"content": ""}, finish), "usage": usage, "warnings": [{"message": "made up"}]}


def _check_chat(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They greet.")
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 5}
    assert result.usage.nano_cost == 10 * 500 + 5 * 1000
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP
    assert result.provenance.vendor_response_id == "o1"
    assert [(notice.code, notice.message) for notice in result.notices] == [("VENDOR_WARNING", "made up")]


CHAT = case(
    "chat",
    "/v1/chat/completions",
    _check_chat,
    model="acme/talk-7B",
    refusals=(*REFUSALS, wrong("temperature", "options.text.temperature")),
    keywords={
        "seed": 1,
        "system": "Be kind.",
        "text": {
            "temperature": 0.5,
            "top_k": 40,
            "stop": ["END"],
            "max_output_tokens": 50,
            "reasoning_effort": "high",
            "json_schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        },
        "extra": {"min_p": 0.1, "repetition_penalty": 1.1, "logit_bias": {"1": -2}, "safety_model": "acme/guard"},
    },
    reply=sse(
        _chunk({"content": "", "reasoning": "They "}),
        _chunk({"content": None, "reasoning": "greet."}),
        _chunk({"content": "Grü"}),
        _chunk({"content": "ße 👋"}),
        _last("eos"),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


def _check_tools(result: Result) -> None:
    assert result.text == "Let me."
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == [
        ("call_1", "wear", '{"hat":true}'),
        ("call_2", "wear", '{"hat":false}'),
    ]
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_TOOL_CALLS
    first, second = result.outputs[0].logprobs
    assert (first.token, round(first.logprob, 3), first.alternatives[0].token) == (b"Let", -0.1, b"Well")
    assert (second.token, list(second.alternatives)) == (b" me.", [])


def _piece(index: int, **more: Any) -> dict[str, Any]:
    return _chunk({"tool_calls": [{"index": index, **more}]})


def _called(call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "wear", "arguments": arguments}}


WEAR = {
    "name": "wear",
    "description": "Puts it on.",
    "parameters_schema": {"type": "object", "properties": {"hat": {"type": "boolean"}}},
}
TOOLS = case(
    "chat",
    "/v1/chat/completions",
    _check_tools,
    variant="with tools",
    model="acme/talk-7B",
    keywords={
        "text": {
            "tools": [WEAR, {"name": "sing"}],
            "tool_choice": "required",
            "allowed_tools": ["wear"],
            "top_logprobs": 1,
            "reasoning_effort": "none",
        }
    },
    reply=sse(
        _chunk({"content": "Let"}, logprobs=-0.1, top_logprobs={"Well": -2.0}),
        _chunk({"content": " me."}, logprobs=-0.2),
        _piece(0, **_called("call_1", "")),
        _piece(1, **_called("call_2", '{"hat"')),
        _piece(0, function={"arguments": '{"hat":true}'}),
        _piece(1, function={"arguments": ":false}"}),
        _last("tool_calls"),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


def _check_seen(result: Result) -> None:
    assert result.text == "A fox, running."
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 5}


VISION = case(
    "chat with vision",
    "/v1/chat/completions",
    _check_seen,
    model="acme/talk-VL-7B",
    content=["What is it?", Media(JPEG, "image/jpeg")],
    refusals=(*REFUSALS, wrong("messages", "turns")),
    reply=sse(_chunk({"content": "A fox, "}), _chunk({"content": "running."}), _last("stop"), "[DONE]"),
    stream_error=ERROR_EVENT,
)


def _check_completion(result: Result) -> None:
    assert result.text == " there was a fox"
    assert [token.token for token in result.outputs[0].logprobs] == [b" there", b" was", b" a fox"]
    assert dict(result.usage.units) == {"input-token": 4, "output-token": 3}
    assert result.usage.nano_cost == 4 * 200 + 3 * 400
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_LENGTH


def _continued(choice: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    token = {"id": 1, "text": "", "logprob": 0, "special": False}
    about = {"id": "o2", "object": "completion.chunk", "created": 1, "token": token, "model": "acme/base-7B"}
    return {**about, "choices": [{"index": 0, **choice}], "usage": None, "finish_reason": finish, **more}


COMPLETIONS = case(
    "completions",
    "/v1/completions",
    _check_completion,
    model="acme/base-7B",
    content="Once upon a time",
    keywords={"text": {"max_output_tokens": 3, "top_p": 0.9, "top_logprobs": 1}, "extra": {"min_p": 0.1}},
    refusals=(*REFUSALS, wrong("max_tokens", "options.text.max_output_tokens")),
    reply=sse(
        _continued({"text": " there", "logprobs": -0.5}),
        _continued(
            {
                "text": " was",
                "delta": None,
                "logprobs": {"tokens": [" was"], "token_logprobs": [-1], "top_logprobs": []},
            }
        ),
        _continued(
            {"text": None, "delta": {"role": "assistant", "content": " a fox"}, "logprobs": -0.25},
            "length",
            usage={"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
        ),
        "[DONE]",
    ),
    stream_error=ERROR_EVENT,
)


# -- embeddings, ranks ------------------------------------------------------------------------------------------------


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert (dict(result.usage.units), result.usage.estimated) == ({"input-token": 3}, True)
    assert result.usage.nano_cost == 30


EMBEDDINGS = case(
    "embeddings",
    "/v1/embeddings",
    _check_embeddings,
    model="acme/embed",
    content=[user("first"), user("second")],
    refusals=(*REFUSALS, wrong("input", "turns")),
    streams=False,
    reply=json_reply(
        {
            "object": "list",
            "model": "acme/embed",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
                {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
            ],
        }
    ),
)


def _check_ranks(result: Result) -> None:
    assert result.scores is not None
    found = [(score.input, score.label, score.value) for score in result.scores.scores]
    assert found == [(1, "", 0.9), (0, "", 0.1)]
    assert dict(result.usage.units) == {"input-token": 12}
    assert result.usage.nano_cost == 1200


RANKS = json_reply(
    {
        "object": "rerank",
        "id": "r1",
        "model": "acme/rank",
        "results": [
            {"index": 0, "relevance_score": 0.1, "document": None},
            {"index": 1, "relevance_score": 0.9, "document": {"text": None}},
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12},
    }
)
RERANK = case(
    "rerank",
    "/v1/rerank",
    _check_ranks,
    model="acme/rank",
    content=[user("A fox is an animal."), user("Rust is a language.")],
    keywords={"inputs": {"query": "Which languages are there?"}, "extra": {"top_n": 2}},
    refusals=(*REFUSALS, wrong("documents", "turns"), wrong("top_n", "options.extra.top_n")),
    streams=False,
    reply=RANKS,
)
RERANK_OBJECTS = case(
    "rerank",
    "/v1/rerank",
    _check_ranks,
    variant="of objects",
    model="acme/rank",
    content=[user(Media(b'{"title": "%s"}' % title, "application/json")) for title in (b"Foxes", b"Rust")],
    keywords={"inputs": {"query": "Which languages are there?"}, "extra": {"rank_fields": ["title"]}},
    streams=False,
    reply=RANKS,
)


# -- images, video ----------------------------------------------------------------------------------------------------


def _check_image(result: Result) -> None:
    assert [output.data for output in result.outputs] == [JPEG, JPEG[:20]]
    assert result.outputs[0].media_type == "image/jpeg"
    assert dict(result.usage.units) == {"image": 2}


IMAGES = case(
    "images",
    "/v1/images/generations",
    _check_image,
    model="acme/draw",
    content="a fox",
    keywords={
        "seed": 1,
        "candidates": 2,
        "image": {"width": 1024, "height": 768, "steps": 4, "guidance_scale": 3.5, "negative_prompt": "snow"},
        "extra": {"disable_safety_checker": True, "image_loras": [{"path": "https://example.com/a", "scale": 1}]},
    },
    refusals=(*REFUSALS, wrong("steps", "options.image.steps"), wrong("prompt", "turns")),
    streams=False,
    reply=json_reply(
        {
            "id": "i1",
            "model": "acme/draw",
            "object": "list",
            "data": [
                {"index": 1, "type": "b64_json", "b64_json": base64.b64encode(JPEG[:20]).decode()},
                {"index": 0, "type": "b64_json", "b64_json": base64.b64encode(JPEG).decode()},
            ],
        }
    ),
)


def _check_reference(result: Result) -> None:
    assert result.outputs[0].part.asset.uri == "https://example.com/made.png"
    assert result.outputs[0].part.asset.media_type == "image/png"


IMAGES_FROM_IMAGES = case(
    "images",
    "/v1/images/generations",
    _check_reference,
    variant="from images",
    model="acme/draw",
    content=["make it red", Media(JPEG, "image/jpeg")],
    keywords={
        "inputs": {"reference": Media(JPEG, "image/jpeg")},
        "output_media_types": ["image/png"],
        "outputs_by_reference": True,
    },
    streams=False,
    reply=json_reply({"data": [{"index": 0, "type": "url", "url": "https://example.com/made.png"}]}),
)


def _check_video(result: Result) -> None:
    assert result.data == MP4
    assert (result.outputs[0].media_type, result.outputs[0].info.width) == ("video/mp4", 1280)
    assert dict(result.usage.units) == {"video-millisecond": 5000}
    assert result.usage.nano_cost == 270_000_000
    assert result.provenance.vendor_response_id == "v-1"


def _video(status: str, **more: Any) -> dict[str, Any]:
    about = {"id": "v-1", "object": "video", "model": "acme/film", "status": status, "size": "1280x720"}
    return {**about, "seconds": "5", "created_at": 1, "error": None, **more}


def _made(request: Any) -> Any:
    outputs = {"cost": 0.27, "video_url": f"http://{request.header('host')}/made.mp4"}
    return json_reply(_video("completed", outputs=outputs)).with_headers(x_request_id=REQUEST_ID)


_ASKED: dict[str, Any] = {
    "model": "acme/film",
    "settings": {"poll_interval": 0.01},
    "beyond": {"GET /made.mp4": "VideoJob.outputs.video_url is anywhere (together/openapi.yaml)"},
}
VIDEO_ROUTES = {**LISTS, "GET /v2/videos/v-1": _made, "GET /made.mp4": binary(MP4, "video/mp4")}
VIDEO = case(
    "video",
    "/v2/videos",
    _check_video,
    content=["it runs", Media(JPEG, "image/jpeg")],
    keywords={
        "seed": 1,
        "inputs": {"last-frame": Media(JPEG, "image/jpeg"), "reference": Media(JPEG, "image/jpeg")},
        "video": {
            "duration": 5,
            "frame_rate": 24,
            "sound": True,
            "frame": {"width": 1280, "height": 720, "steps": 20, "guidance_scale": 7, "negative_prompt": "snow"},
        },
        "output_media_types": ["video/mp4"],
        "extra": {"output_quality": 20},
    },
    refusals=(*REFUSALS, wrong("seconds", "options.video.duration"), wrong("media", "turns")),
    streams=False,
    reply=json_reply(_video("in_progress")),
    routes=VIDEO_ROUTES,
    **_ASKED,
)
VIDEO_EDIT = case(
    "video",
    "/v2/videos",
    _check_video,
    variant="from a video",
    content=["make it red", Media(MP4, "video/mp4")],
    keywords={"capability": "video-to-video", "video": {"frame": {"aspect_ratio": "16:9", "resolution": "720p"}}},
    streams=False,
    reply=json_reply(_video("in_progress")),
    routes=VIDEO_ROUTES,
    **_ASKED,
)
VIDEO_FETCHED = case(
    "video",
    "/made.mp4",
    _check_video,
    method="GET",
    variant="fetched",
    content="a fox",
    not_applicable={"request": "VideoJob.outputs.video_url is anywhere (together/openapi.yaml)"},
    not_found=Reason.MODEL_NOT_FOUND,
    reply=binary(MP4, "video/mp4", piece=50),
    routes={**LISTS, "POST /v2/videos": json_reply(_video("in_progress")), "GET /v2/videos/v-1": _made},
    **{name: value for name, value in _ASKED.items() if name != "beyond"},
)


# -- speech, voices, recognition --------------------------------------------------------------------------------------


def _check_speech(result: Result) -> None:
    assert result.data == bytes(range(200))
    assert result.outputs[0].media_type == "audio/mpeg"
    assert dict(result.usage.units) == {"character": 6}


SPEECH = case(
    "speech",
    "/v1/audio/speech",
    _check_speech,
    model="hexgrad/Kokoro-82M",
    content="Hello.",
    keywords={"audio": {"language": "en-GB"}, "extra": {"bit_rate": 64000}},
    refusals=(*REFUSALS, wrong("voice", "options.audio.voice")),
    reply=binary(bytes(range(200)), "audio/mpeg", piece=40),
)


def _check_streamed(result: Result) -> None:
    assert result.data == bytes([2, 1, 4, 3])  # big-endian, as audio/L16 is
    assert result.outputs[0].media_type == "audio/L16; rate=8000; channels=1"


def _spoken(*data: int) -> dict[str, Any]:
    return {"object": "audio.tts.chunk", "model": "sonic", "b64": base64.b64encode(bytes(data)).decode()}


SPEECH_STREAMED = case(
    "speech",
    "/v1/audio/speech",
    _check_streamed,
    variant="streamed",
    model="cartesia/sonic-2",
    content="Hello.",
    keywords={
        "audio": {"voice": "providers/together/voices/laidback woman"},
        "output_media_types": ["audio/L16; rate=8000; channels=1"],
    },
    reply=sse(_spoken(1, 2, 3), _spoken(4), "[DONE]"),
    stream_error=ERROR_EVENT,
)


async def _voices(served: Served, _: Case) -> Any:
    return [plain(found) for found in await served.client.voices()]


def _check_voices(found: Any) -> None:
    kokoro, sonic = (f"providers/together/models/{name}" for name in ("hexgrad/Kokoro-82M", "cartesia/sonic-2"))
    assert {voice["name"].rpartition("/")[2]: voice["models"] for voice in found} == {
        "af_alloy": [kokoro],
        "laidback woman": [sonic],
        "shared": [kokoro, sonic],
    }


LIST_VOICES = case(
    "voices",
    "/v1/voices",
    _check_voices,
    method="GET",
    act=_voices,
    streams=False,
    reply=VOICES,
)


def _check_transcription(result: Result) -> None:
    assert result.text == "Good morning. Coffee?"
    assert result.transcript is not None
    found = [(s.speaker, s.text, [word.text for word in s.words]) for s in result.transcript.segments]
    assert found == [("SPEAKER_00", "Good morning.", ["Good", "morning."]), ("SPEAKER_01", " Coffee?", ["Coffee?"])]
    assert result.transcript.language == "en"
    assert dict(result.usage.units) == {"input-audio-millisecond": 3000}


def _word(text: str, start: float, end: float, speaker: str) -> dict[str, Any]:
    return {"word": text, "start": start, "end": end, "speaker_id": speaker}


_WORDS = [
    _word("Good", 0, 0.5, "SPEAKER_00"),
    _word("morning.", 0.5, 1.4, "SPEAKER_00"),
    _word("Coffee?", 1.5, 2, "SPEAKER_01"),
]
TRANSCRIPTION = case(
    "transcription",
    "/v1/audio/transcriptions",
    _check_transcription,
    model="openai/whisper-large-v3",
    content=Media(WAV, "audio/wav"),
    keywords={
        "transcript": {"times": "word", "speakers": True, "speaker_count": 2, "vocabulary": ["coffee"]},
        "text": {"temperature": 0.5},
    },
    refusals=(*REFUSALS, wrong("diarize", "options.transcript.speakers"), wrong("file", "turns")),
    streams=False,
    reply=json_reply(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 3.0,
            "text": "Good morning. Coffee?",
            "segments": [{"id": 0, "start": 0, "end": 3, "text": "Good morning. Coffee?"}],
            "words": _WORDS,
            "speaker_segments": [
                {
                    **{"id": 1, "speaker_id": "SPEAKER_00", "start": 0, "end": 1.4},
                    **{"text": "Good morning.", "words": _WORDS[:2]},
                },
                {
                    **{"id": 2, "speaker_id": "SPEAKER_01", "start": 1.5, "end": 2},
                    **{"text": " Coffee?", "words": _WORDS[2:]},
                },
            ],
        }
    ),
)


def _check_linked(result: Result) -> None:
    assert result.text == "Guten Morgen."


TRANSCRIPTION_LINKED = case(
    "transcription",
    "/v1/audio/transcriptions",
    _check_linked,
    variant="by reference",
    model="openai/whisper-large-v3",
    content=Asset(uri="https://example.com/a.mp3", media_type="audio/mpeg"),
    keywords={"transcript": {"language": "de-CH"}},
    streams=False,
    reply=json_reply({"text": "Guten Morgen."}),
)


def _check_translation(result: Result) -> None:
    assert result.text == "Bonjour."
    assert dict(result.usage.units) == {"input-audio-millisecond": 1500}


TRANSLATION = case(
    "translation",
    "/v1/audio/translations",
    _check_translation,
    model="openai/whisper-large-v3",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"translate_to": "fr-FR"}},
    refusals=(*REFUSALS, wrong("file", "turns")),
    streams=False,
    reply=json_reply(
        {
            "task": "translate",
            "language": "french",
            "duration": 1.5,
            "text": "Bonjour.",
            "segments": [{"id": 0, "start": 0, "end": 1.5, "text": "Bonjour."}],
        }
    ),
)

CASES = [
    CHAT,
    TOOLS,
    VISION,
    COMPLETIONS,
    EMBEDDINGS,
    RERANK,
    RERANK_OBJECTS,
    IMAGES,
    IMAGES_FROM_IMAGES,
    VIDEO,
    VIDEO_EDIT,
    VIDEO_FETCHED,
    SPEECH,
    SPEECH_STREAMED,
    LIST_VOICES,
    TRANSCRIPTION,
    TRANSCRIPTION_LINKED,
    TRANSLATION,
]
NOT_APPLICABLE: dict[str, str] = {}
