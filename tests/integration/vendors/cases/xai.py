"""xAI, with answers as its description and its guides show them. The description is partly written by hand."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.errors import Reason
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit_vendors.testing import binary, json_reply, sse

from tests.integration.vendors.matrix import Case, Refusal

DESCRIPTION = "xai/openapi.yaml"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
MP3 = b"ID3\x04" + bytes(range(200))
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(range(200))
PRICES = {
    "prompt_text_token_price": 20000,
    "cached_prompt_text_token_price": 5000,
    "completion_text_token_price": 60000,
    "context_length": 256000,
}
LISTS = {
    "GET /v1/language-models": json_reply(
        {"models": [{"id": "grok-test", "created": 1, "input_modalities": ["text", "image"], **PRICES}]}
    ),
    "GET /v1/embedding-models": json_reply({"models": [{"id": "embed-test", "prompt_text_token_price": 100}]}),
    "GET /v1/image-generation-models": json_reply({"models": [{"id": "grok-imagine-image", "image_price": 2}]}),
    "GET /v1/video-generation-models": json_reply({"models": [{"id": "grok-imagine-video"}]}),
}


def refusal(status: int) -> dict[str, Any]:
    """An error as xAI writes it."""
    return {"code": "made up", "error": f"made up: {status}"}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of xAI's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": LISTS, "base": "/v1", "description": DESCRIPTION}
    return Case(vendor="xai", operation=operation, path=f"/v1{path}", check=check, **{**defaults, **more})


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "grok-test-0101", "choices": [choice], **more}


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 2, "text_tokens": 12, "image_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def _check_chat(result: Result) -> None:
    assert (result.text, result.reasoning) == ("Grüße 👋", "They greet.")
    units = {"input-token": 10, "cached-input-token": 2, "output-token": 3, "reasoning-token": 2}
    assert dict(result.usage.units) == units
    assert (
        result.usage.nano_cost == 10 * 2000 + 2 * 500 + 5 * 6000
    )  # 20000 cents for 100 million tokens are $2 a million
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP


CHAT = case(
    "chat",
    "/chat/completions",
    _check_chat,
    model="grok-test",
    content=["hi", Media(JPEG, "image/jpeg")],
    keywords={
        "seed": 1,
        "system": "Be kind.",
        "text": {"temperature": 0.5, "stop": ["END"], "max_output_tokens": 50, "reasoning_effort": "high"},
        "extra": {"user": "u-1"},
    },
    reply=sse(
        chunk({"role": "assistant", "reasoning_content": "They "}),
        chunk({"reasoning_content": "greet."}),
        chunk({"content": "Grü"}),
        chunk({"content": "ße 👋"}),
        chunk({}, "stop", usage=USAGE),
        "[DONE]",
    ),
    stream_error=b'data: {"error": {"message": "it broke", "code": "server_error"}}\n\n',
    refusals=[
        Refusal(400, {"code": "x", "error": "This model's maximum prompt length is 256000"}, Reason.CONTEXT_TOO_LONG)
    ],
)

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Grüße 👋", "annotations": []}],
}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "grok-test-0101",
    "output": [THOUGHT, MESSAGE],
    "usage": {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
    },
}


def text_delta(text: str) -> dict[str, Any]:
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    return {"type": "response.output_text.delta", **place, "delta": text}


def _check_response(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert result.outputs[0].part.vendor_state.provider == "xai"
    assert dict(result.usage.units)["reasoning-token"] == 2
    assert result.provenance.vendor_response_id == "resp_1"


STREAMED = (
    "docs.x.ai, REST API, POST /v1/responses: it takes what OpenAI's does; the description has the first fields only"
)
RESPONSES = case(
    "responses",
    "/responses",
    _check_response,
    model="grok-test",
    keywords={
        "system": "Be kind.",
        "text": {"temperature": 0.5, "max_output_tokens": 50, "reasoning_effort": "low"},
        "extra": {"api": "responses", "store": False},
    },
    reply=sse(
        {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": THOUGHT},
        {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
        {"type": "response.output_item.added", "output_index": 1, "item": {**MESSAGE, "content": []}},
        text_delta("Grü"),
        text_delta("ße 👋"),
        {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
        {"type": "response.completed", "response": RESPONSE},
        names=True,
    ),
    first=5,
    stream_error=b'data: {"type": "error", "code": "server_error", "message": "it broke"}\n\n',
    beyond={"stream": STREAMED},
)


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert dict(result.usage.units) == {"input-token": 8}
    assert result.usage.nano_cost == 80


EMBEDDINGS = case(
    "embeddings",
    "/embeddings",
    _check_embeddings,
    model="embed-test",
    content=[user("first"), user("second")],
    streams=False,
    reply=json_reply(
        {
            "object": "list",
            "model": "embed-test",
            "data": [{"index": 0, "embedding": [0.5, -0.25]}, {"index": 1, "embedding": [1.0, 0.0]}],
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        }
    ),
)


def _check_image(result: Result) -> None:
    assert result.data == JPEG
    assert result.outputs[0].media_type == "image/jpeg"
    assert result.usage.nano_cost == 20_000_000


PICTURE = json_reply({"data": [{"b64_json": base64.b64encode(JPEG).decode()}]})
IMAGES = case(
    "images",
    "/images/generations",
    _check_image,
    model="grok-imagine-image",
    content="a fox",
    keywords={"image": {"aspect_ratio": "16:9", "resolution": "1k"}},
    streams=False,
    reply=PICTURE,
)
EDITS = case(
    "image edits",
    "/images/edits",
    _check_image,
    model="grok-imagine-image",
    content=["make it red", Media(JPEG, "image/jpeg"), Media(JPEG, "image/jpeg")],
    keywords={"image": {"aspect_ratio": "1:1"}},
    streams=False,
    reply=PICTURE,
)


def _check_speech(result: Result) -> None:
    assert result.data == MP3
    assert dict(result.usage.units) == {"character": 6}


SPEECH = case(
    "speech",
    "/tts",
    _check_speech,
    model="tts",
    content="Hello.",
    keywords={"audio": {"voice": "Eve", "language": "en"}, "extra": {"text_normalization": True}},
    reply=binary(MP3, "audio/mpeg").split(40),
)


def _check_video(result: Result) -> None:
    assert result.data == MP4
    assert dict(result.usage.units) == {"video-millisecond": 5000}
    assert result.usage.nano_cost == 250_000_000


VIDEO = case(
    "video",
    "/videos/generations",
    _check_video,
    model="grok-imagine-video",
    content=["it runs", Media(JPEG, "image/jpeg")],
    keywords={"video": {"duration": 5, "frame": {"aspect_ratio": "16:9", "resolution": "480p"}}},
    settings={"poll_interval": 0.01},
    beyond={"GET /v1/made.mp4": "VideoData.url is anywhere (xai/openapi.yaml)"},
    streams=False,
    reply=json_reply({"request_id": "v-1"}),
    routes={
        **LISTS,
        "GET /v1/videos/v-1": lambda request: json_reply(
            {
                "status": "done",
                "model": "grok-imagine-video",
                "video": {"url": f"http://{request.header('host')}/v1/made.mp4", "duration": 5},
            }
        ),
        "GET /v1/made.mp4": binary(MP4, "video/mp4"),
    },
)

CASES = [CHAT, RESPONSES, EMBEDDINGS, IMAGES, EDITS, SPEECH, VIDEO]
NOT_APPLICABLE: dict[str, str] = {}
