"""Stands in for a vendor with OpenAI's API, for `mediaconduit test`: it answers everything, and means nothing by it.

``python -m mediaconduit_vendors.testing.openai PATH MODEL…`` serves it below a path, or several with commas between,
writes its address to stdout and runs until it is ended. In a manifest::

    conformance:
      upstream: python -m mediaconduit_vendors.testing.openai /v1 small-chat small-embedding
      settings: {base_url: "{upstream}/v1"}
      secrets: {EXAMPLE_API_KEY: opens-nothing}
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import struct
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mediaconduit_vendors.testing.replies import Reply, binary, json_reply, sse
from mediaconduit_vendors.testing.requests import Request
from mediaconduit_vendors.testing.upstream import Answer, Upstream

_WORDS: Final = "The quick brown fox jumps over the lazy dog and comes back the other way ".split()
_PACE: Final = 0.01
"""Seconds between two pieces, so that answers can be left in the middle."""
_USAGE: Final = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
_USED: Final = {"input_tokens": 9, "output_tokens": 12, "total_tokens": 21}


def routes(paths: Sequence[str], models: Sequence[str]) -> dict[str, Answer]:
    """What it answers below each path, for `Upstream`; it lists these models, and takes any."""
    listed = [{"id": model, "object": "model", "created": 1700000000, "owned_by": "nobody"} for model in models]
    answers: Mapping[str, Callable[[Request], Reply]] = {
        "GET /models": lambda _: json_reply({"object": "list", "data": listed}),
        "POST /chat/completions": _chat,
        "POST /responses": _response,
        "POST /embeddings": _embeddings,
        "POST /moderations": _moderation,
        "POST /images/generations": _image,
        "POST /images/edits": _image,
        "POST /audio/speech": _speech,
        "POST /audio/transcriptions": _transcript,
        "POST /audio/translations": _transcript,
        "POST /videos": _video,
        "POST /videos/edits": _video,
        "POST /videos/extensions": _video,
        "GET /videos/{id}": _video,
        "GET /videos/{id}/content": lambda _: binary(_MP4, "video/mp4", piece=200).paced(_PACE),
    }
    made: dict[str, Answer] = {}
    for (route, answer), above in itertools.product(answers.items(), paths):
        method, _, path = route.partition(" ")
        made[f"{method} {above}{path}"] = answer
    return made


def _said(request: Request, limit: str) -> list[str]:
    """Words to answer with: as many as are asked for at most."""
    wanted = request.json.get(limit) or len(_WORDS)
    return [f"{word} " for word in _WORDS[:wanted]]


def _chat(request: Request) -> Reply:
    asked = request.json

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choices = [{"index": number, "delta": delta, "finish_reason": finish} for number in range(asked.get("n") or 1)]
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": asked.get("model"), "choices": choices}

    if asked.get("response_format"):
        deltas = [{"content": "{}"}]
    else:
        limit = "max_tokens" if "max_tokens" in asked else "max_completion_tokens"
        deltas = [{"content": word} for word in _said(request, limit)]
    if "audio" in (asked.get("modalities") or ()):
        samples = base64.b64encode(bytes(4800)).decode()
        deltas = [{"audio": {"id": "audio_1", "data": samples, "transcript": delta["content"]}} for delta in deltas]  # type: ignore[dict-item]
    usage = {"id": "chatcmpl-1", "choices": [], "usage": _USAGE}
    return sse(*map(chunk, deltas), chunk({}, "stop"), usage, "[DONE]").paced(_PACE)


def _response(request: Request) -> Reply:
    text = ["{}"] if (request.json.get("text") or {}).get("format") else _said(request, "max_output_tokens")
    content = {"type": "output_text", "text": "".join(text), "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [content]}
    done = {"id": "resp_1", "object": "response", "status": "completed", "model": request.json["model"]}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**done, "status": "in_progress"}},
        *({"type": "response.output_text.delta", "delta": word, **place} for word in text),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**done, "output": [item], "usage": _USED}},
    ]
    return sse(*events, names=True).paced(_PACE)


def _embeddings(request: Request) -> Reply:
    given = request.json["input"]
    items = [given] if isinstance(given, str) else given
    data = [
        {"object": "embedding", "index": number, "embedding": [1.0, float(len(item)), 0.0]}
        for number, item in enumerate(items)
    ]
    return json_reply({"object": "list", "model": request.json["model"], "data": data, "usage": _USAGE})


def _moderation(request: Request) -> Reply:
    given = request.json["input"]
    several = isinstance(given, list) and all(isinstance(item, str) for item in given)
    result = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.01}}
    return json_reply({"id": "modr-1", "model": "m", "results": [result] * (len(given) if several else 1)})


def _image(request: Request) -> Reply:
    edit = request.media_type == "multipart/form-data"
    asked = {field.name: field.data.decode("latin-1") for field in request.form} if edit else request.json
    image = base64.b64encode(_PNG).decode()
    usage = {**_USED, "input_tokens_details": {"text_tokens": 9, "image_tokens": 0}}
    if asked.get("stream") not in (True, "true"):
        count = int(asked.get("n") or 1)
        return json_reply({"created": 1, "data": [{"b64_json": image}] * count, "usage": usage})
    kind = "image_edit" if edit else "image_generation"
    event = {"type": f"{kind}.completed", "b64_json": image, "output_format": "png", "size": "16x16", "usage": usage}
    early = [{**event, "type": f"{kind}.partial_image"}] * int(asked.get("partial_images") or 0)
    return sse(*early, event, names=True).paced(_PACE)


def _speech(request: Request) -> Reply:
    wav = request.json.get("response_format") == "wav"
    data, media_type = (_WAV, "audio/wav") if wav else (_MP3, "audio/mpeg")
    if request.json.get("stream_format") != "sse":
        return binary(data, media_type, piece=400).paced(_PACE)
    pieces = [data[at : at + 400] for at in range(0, len(data), 400)]
    events = [{"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces]
    return sse(*events, {"type": "speech.audio.done", "usage": _USED}).paced(_PACE)


def _transcript(request: Request) -> Reply:
    fields = {field.name: field for field in request.form}
    text = "The quick brown fox."
    wanted = fields["response_format"].text if "response_format" in fields else "json"
    if wanted in ("text", "srt", "vtt"):
        return binary(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n".encode(), "text/plain")
    segment = {"id": "seg_1", "start": 0.0, "end": 0.5, "text": text, "speaker": "A"}
    if "stream" not in fields:
        return json_reply({"text": text, "language": "english", "duration": 0.5, "segments": [segment]})
    said = {"type": "transcript.text.segment", **segment} if wanted == "diarized_json" else {}
    deltas = [{"type": "transcript.text.delta", "delta": f"{word} "} for word in text.split()]
    done = {"type": "transcript.text.done", "text": text, "usage": _USED}
    return sse(*([said] if said else []), *deltas, done).paced(_PACE)


def _video(_: Request) -> Reply:
    about = {"object": "video", "model": "sora-2", "size": "1280x720", "seconds": "4", "created_at": 1}
    return json_reply({"id": "video_1", "status": "completed", "progress": 100, **about})


def _png() -> bytes:
    """Sixteen by sixteen grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x80" * 16 for _ in range(16))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _wav() -> bytes:
    """A tenth of a second of silence."""
    data = bytes(4800)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 24000, 48000, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + form + struct.pack("<4sI", b"data", len(data)) + data
    )


_PNG: Final = _png()
_WAV: Final = _wav()
_MP3: Final = (b"\xff\xfb\x90\x64" + bytes(413)) * 4
"""Four frames of silence."""
_MP4: Final = (
    struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom") + struct.pack(">I4s", 1008, b"free") + bytes(1000)
)
"""A file without a track."""


async def _serve(paths: Sequence[str], models: Sequence[str]) -> None:
    async with Upstream(routes(paths, models)) as upstream:
        print(upstream.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1].split(","), sys.argv[2:]))
