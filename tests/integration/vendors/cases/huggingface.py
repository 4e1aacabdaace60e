"""Hugging Face: the router, described by the server behind it (TGI), and its own inference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result, user
from mediaconduit.v1.events_pb2 import FinishReason
from mediaconduit_vendors.testing import Reply, Request, binary, failure, json_reply, sse

from tests.integration.vendors.matrix import Case

CHAT_MODEL = "meta-llama/Llama-3.3-70B-Instruct"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
FLAC = b"fLaC" + bytes(range(200))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)
TASKS = {
    "black-forest-labs/FLUX.1-dev": "text-to-image",
    "hexgrad/Kokoro-82M": "text-to-speech",
    "openai/whisper-large-v3": "automatic-speech-recognition",
    "sentence-transformers/all-MiniLM-L6-v2": "sentence-similarity",
}


def hub(request: Request) -> Reply:
    """The hub, which knows what each model is for."""
    task = TASKS.get(request.path.removeprefix("/api/models/"))
    return json_reply({"pipeline_tag": task}) if task else failure(404, {"error": "Repository not found"})


ROUTES = {
    "GET /api/whoami-v2": json_reply({"name": "me"}),
    "GET /api/models/{id*}": hub,
    "GET /v1/models": json_reply(
        {
            "data": [
                {
                    "id": CHAT_MODEL,
                    "created": 1,
                    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
                    "providers": [
                        {
                            "provider": "groq",
                            "status": "live",
                            "context_length": 131072,
                            "pricing": {"input": 0.59, "output": 0.79},
                            "supports_tools": True,
                        },
                        {"provider": "gone", "status": "staging"},
                    ],
                }
            ]
        }
    ),
}


def refusal(status: int) -> dict[str, Any]:
    """An error as Hugging Face writes it."""
    return {"error": f"made up: {status}"}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of Hugging Face's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": ROUTES}
    return Case(vendor="huggingface", operation=operation, path=path, check=check, **{**defaults, **more})


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"id": "", "model": CHAT_MODEL, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _check_chat(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert dict(result.usage.units) == {"input-token": 10, "output-token": 3}
    assert result.usage.nano_cost == 10 * 590 + 3 * 790
    assert result.finishes[0].reason == FinishReason.FINISH_REASON_STOP


CHAT = case(
    "chat",
    "/v1/chat/completions",
    _check_chat,
    description="huggingface/openapi-tgi.json",
    beyond={"GET /api/whoami-v2": "of the hub, not of the server behind the router (huggingface.co/docs/hub/api)"},
    model=f"{CHAT_MODEL}:groq",
    keywords={"seed": 1, "system": "Be kind.", "text": {"temperature": 0.5, "stop": ["END"], "max_output_tokens": 50}},
    reply=sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Grü"}),
        chunk({"content": "ße 👋"}),
        chunk({}, "stop"),
        {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 3}},
        "[DONE]",
    ),
    first=2,
    stream_error=b'data: {"error": {"message": "it broke", "http_status_code": 422}}\n\n',
)

DOCUMENTED = "huggingface.co/docs/inference-providers/tasks/{}; the published descriptions are of servers for text"


def task(operation: str, model: str, name: str, check: Callable[[Any], None], below: str = "", **more: Any) -> Case:
    """A task of Hugging Face's own inference."""
    path = f"/hf-inference/models/{model}{below}"
    return case(operation, path, check, model=model, undescribed=DOCUMENTED.format(name), **more)


def _check_image(result: Result) -> None:
    assert (result.data, result.outputs[0].media_type) == (JPEG, "image/jpeg")
    assert dict(result.usage.units) == {"image": 1}


IMAGE = task(
    "text-to-image",
    "black-forest-labs/FLUX.1-dev",
    "text-to-image",
    _check_image,
    content="a fox",
    keywords={"seed": 1, "image": {"width": 512, "height": 512, "steps": 20, "negative_prompt": "blur"}},
    reply=binary(JPEG, "image/jpeg").split(30),
)


def _check_speech(result: Result) -> None:
    assert (result.data, result.outputs[0].media_type) == (FLAC, "audio/flac")


SPEECH = task(
    "text-to-speech",
    "hexgrad/Kokoro-82M",
    "text-to-speech",
    _check_speech,
    content="Hello.",
    reply=binary(FLAC, "audio/flac").split(40),
)


def _check_recognised(result: Result) -> None:
    assert result.transcript is not None
    segments = result.transcript.segments
    found = [(s.text, s.start_offset.ToMilliseconds(), s.end_offset.ToMilliseconds()) for s in segments]
    assert found == [("Hello.", 0, 500), (" Hi.", 500, 900)]


RECOGNITION = task(
    "speech-to-text",
    "openai/whisper-large-v3",
    "automatic-speech-recognition",
    _check_recognised,
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"times": "segment"}},
    streams=False,
    reply=json_reply(
        {
            "text": "Hello. Hi.",
            "chunks": [{"text": "Hello.", "timestamp": [0.0, 0.5]}, {"text": " Hi.", "timestamp": [0.5, 0.9]}],
        }
    ),
)


def _check_embeddings(result: Result) -> None:
    assert [list(found.values) for found in result.embeddings] == [[0.5, -0.25], [1.0, 0.0]]


EMBEDDINGS = task(
    "embeddings",
    "sentence-transformers/all-MiniLM-L6-v2",
    "feature-extraction",
    _check_embeddings,
    "/pipeline/feature-extraction",
    content=[user("first"), user("second")],
    keywords={"extra": {"normalize": True}},
    streams=False,
    reply=json_reply([[0.5, -0.25], [1.0, 0.0]]),
)

CASES = [CHAT, IMAGE, SPEECH, RECOGNITION, EMBEDDINGS]
NOT_APPLICABLE: dict[str, str] = {}
