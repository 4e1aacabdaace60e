"""What Hugging Face's own inference does with a model: pictures, speech, recognition, vectors.

By ``/hf-inference/models/{model}``, each task in its own form
(huggingface.co/docs/inference-providers/tasks).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import quote

from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Call, Embedding, Facts, InvalidRequestError, Output, Segment, Transcript
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import prompt_of, text_items
from mediaconduit_vendors.openai.transcription import duration
from mediaconduit_vendors.options import Schema, passed_on, paths_by_field
from mediaconduit_vendors.reply import Reply, lost, not_understood
from mediaconduit_vendors.usage import usage_of

IMAGE: Final[Mapping[str, Schema]] = {
    "seed": {"type": "integer"},
    "image.width": {"type": "integer", "minimum": 1},
    "image.height": {"type": "integer", "minimum": 1},
    "image.steps": {"type": "integer", "minimum": 1},
    "image.guidance_scale": {"type": "number"},
    "image.negative_prompt": {"type": "string"},
    "extra.scheduler": {"type": "string", "description": "Another scheduler than the model's own."},
}
IMAGE_FIELDS: Final = {
    "seed": "seed",
    "image.width": "width",
    "image.height": "height",
    "image.steps": "num_inference_steps",
    "image.guidance_scale": "guidance_scale",
    "image.negative_prompt": "negative_prompt",
}
SPEECH: Final[Mapping[str, Schema]] = {
    "text.temperature": {"type": "number", "minimum": 0},
    "text.top_k": {"type": "integer", "minimum": 0},
    "text.top_p": {"type": "number", "minimum": 0, "maximum": 1},
}
SPEECH_FIELDS: Final = {
    "text.temperature": "generation_parameters.temperature",
    "text.top_k": "generation_parameters.top_k",
    "text.top_p": "generation_parameters.top_p",
}
TRANSCRIPT: Final[Mapping[str, Schema]] = {
    "transcript.times": {"enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT"]}
}
EMBEDDING: Final[Mapping[str, Schema]] = {
    "embedding.purpose": {"type": "string"},
    "extra.normalize": {"type": "boolean"},
    "extra.truncate": {"type": "boolean"},
}
EMBEDDING_FIELDS: Final = {"embedding.purpose": "prompt_name"}

Outputs = AsyncGenerator[Yielded, None]


async def picture(api: Api, call: Call) -> Outputs:
    """An image."""
    prompt = prompt_of(call)
    if not prompt:
        raise InvalidRequestError.at("turns", "say what the image is to show")
    async with aclosing(_file(api, call, prompt, IMAGE_FIELDS, "image/")) as outputs:
        async for output in outputs:
            yield output
    yield usage_of({"image": 1}, call.model.pricing)


async def speech(api: Api, call: Call) -> Outputs:
    """Audio, in whatever format the model makes."""
    if call.system:
        raise InvalidRequestError.at("turns[0]", "this model takes no instructions")
    text = prompt_of(call, framed=False)
    if not text:
        raise InvalidRequestError.at("turns", "there is nothing to say")
    async with aclosing(_file(api, call, text, SPEECH_FIELDS, "audio/")) as outputs:
        async for output in outputs:
            yield output
    yield usage_of({"character": len(text)}, call.model.pricing)


async def _file(api: Api, call: Call, inputs: str, fields: Mapping[str, str], kind: str) -> Outputs:
    """Bytes of a kind of media that the answer itself names."""
    parameters = _parameters(call, fields)
    body = {"inputs": inputs, **({"parameters": parameters} if parameters else {})}
    call.meter(lambda: usage_of({"request": 1}, call.model.pricing, estimated=True))
    async with api.open(_request(call, fields, json=body)) as reply:
        yield _facts(reply, call)
        if not reply.media_type.startswith(kind):
            raise not_understood(f"it is {reply.media_type or 'of no media type'}")
        output = Output(reply.headers["content-type"])
        async with aclosing(reply.chunks()) as chunks:
            async for chunk in chunks:
                yield output.data(chunk)
    if output.index < 0:
        raise lost()
    yield output.done()


async def transcribe(api: Api, call: Call) -> Outputs:
    """A transcript, with times where they are asked for."""
    given = call.input()
    if given.uri:
        raise InvalidRequestError.at(given.field, "send the recording itself")
    audio = await given.read()
    if call.options.transcript.times == TimeDetail.TIME_DETAIL_SEGMENT:
        body = {"inputs": base64.b64encode(audio).decode(), "parameters": {"return_timestamps": True}}
        request = _request(call, {}, json=body)
    else:
        request = _request(call, {}, content=audio, headers={"content-type": given.media_type})
    answer, reply = await api.json(request)
    yield _facts(reply, call)
    if not isinstance(answer, Mapping) or "text" not in answer:
        raise not_understood("it holds no transcript")
    chunks = answer.get("chunks") or ()
    yield Transcript(segments=[_segment(chunk) for chunk in chunks] or [Segment(text=answer["text"] or "")])
    yield usage_of({"request": 1}, call.model.pricing)


def _segment(chunk: Mapping[str, Any]) -> Segment:
    segment = Segment(text=chunk.get("text") or "")
    for offset, seconds in zip((segment.start_offset, segment.end_offset), chunk.get("timestamp") or (), strict=False):
        if seconds is not None:
            offset.CopyFrom(duration(seconds))
    return segment


async def embed(api: Api, call: Call) -> Outputs:
    """A vector for each of the caller's turns."""
    texts = text_items(call)
    body = {"inputs": texts, **_parameters(call, EMBEDDING_FIELDS)}
    answer, reply = await api.json(_request(call, EMBEDDING_FIELDS, "/pipeline/feature-extraction", json=body))
    yield _facts(reply, call)
    if not isinstance(answer, list) or len(answer) != len(texts):
        raise not_understood("it does not hold a vector for each text")
    for number, vector in enumerate(answer):
        yield _embedding(vector, number)
    yield usage_of({"request": 1}, call.model.pricing)


def _embedding(vector: Sequence[Any], number: int) -> Embedding:
    """A vector; models that do not pool give one for each token."""
    if vector and isinstance(vector[0], list):
        return Embedding(values=[value for token in vector for value in token], count=len(vector), input=number)
    return Embedding(values=vector, input=number)


def _parameters(call: Call, fields: Mapping[str, str]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name, value in passed_on(call, fields).items():
        group, dot, inner = name.partition(".")
        if dot:
            parameters.setdefault(group, {})[inner] = value
        else:
            parameters[name] = value
    return parameters


def _request(call: Call, fields: Mapping[str, str], below: str = "", **content: Any) -> Request:
    path = f"/hf-inference/models/{quote(call.model.id)}{below}"
    places = paths_by_field(dict(fields)) | {"inputs": "turns"}
    return Request("POST", path, fields=places, remaining=call.remaining(), **content)


def _facts(reply: Reply, call: Call) -> Facts:
    return Facts(vendor_model=call.model.id, vendor_request_id=reply.request_id)
