"""Speech, other people's speech, sounds: whatever comes back as audio."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from mediaconduit.content import suffix_of
from mediaconduit_provider import Call, Facts, InvalidRequestError, Output, OutputKind
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import prompt_of
from mediaconduit_vendors.elevenlabs.alignment import Alignment
from mediaconduit_vendors.elevenlabs.formats import BITRATES, Format
from mediaconduit_vendors.elevenlabs.voices import voice_for
from mediaconduit_vendors.openai.transcription import primary
from mediaconduit_vendors.options import Schema, paths_by_field
from mediaconduit_vendors.reply import Reply, lost
from mediaconduit_vendors.usage import usage_of

_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_FORMAT: Final = {"enum": list(BITRATES), "description": "MP3 or Opus of another rate."}
_VOICE: Final[Mapping[str, Schema]] = {
    "audio.voice": {"type": "string"},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    "extra.stability": _SHARE,
    "extra.similarity_boost": _SHARE,
    "extra.style": _SHARE,
    "extra.use_speaker_boost": {"type": "boolean"},
    "extra.output_format": _FORMAT,
}
SPEECH: Final[Mapping[str, Schema]] = {
    **_VOICE,
    "audio.speed": {"type": "number", "minimum": 0.7, "maximum": 1.2},
    "audio.language": {"type": "string"},
    "audio.times": {
        "enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT", "TIME_DETAIL_WORD", "TIME_DETAIL_CHARACTER"]
    },
    "extra.previous_text": {"type": "string", "description": "What was said before, for the flow of speech."},
    "extra.next_text": {"type": "string", "description": "What will be said next."},
    "extra.apply_text_normalization": {"enum": ["auto", "on", "off"]},
}
CHANGER: Final[Mapping[str, Schema]] = {**_VOICE, "extra.remove_background_noise": {"type": "boolean"}}
SOUNDS: Final[Mapping[str, Schema]] = {
    "audio.duration": {"type": "number", "minimum": 0.5, "maximum": 30},
    "extra.loop": {"type": "boolean", "description": "Whether its end meets its beginning."},
    "extra.prompt_influence": _SHARE,
    "extra.output_format": _FORMAT,
}
_FIELDS: Final = {
    "seed": "seed",
    "audio.duration": "duration_seconds",
    "extra.previous_text": "previous_text",
    "extra.next_text": "next_text",
    "extra.apply_text_normalization": "apply_text_normalization",
    "extra.loop": "loop",
    "extra.prompt_influence": "prompt_influence",
    "extra.remove_background_noise": "remove_background_noise",
}
_SETTINGS: Final = {
    "audio.speed": "speed",
    "extra.stability": "stability",
    "extra.similarity_boost": "similarity_boost",
    "extra.style": "style",
    "extra.use_speaker_boost": "use_speaker_boost",
}
_PLACES: Final = paths_by_field({**_FIELDS, **{path: f"voice_settings.{name}" for path, name in _SETTINGS.items()}}) | {
    "text": "turns",
    "audio": "turns",
    "voice_id": "options.audio.voice",
    "language_code": "options.audio.language",
    "output_format": "options.output_media_types",
}

Outputs = AsyncGenerator[Yielded, None]


async def speak(api: Api, call: Call) -> Outputs:
    """``POST /v1/text-to-speech/{voice}/stream``: audio as it is spoken, with times where they are asked for."""
    text = _text(call)
    body = {
        "text": text,
        "model_id": call.model.id,
        **({"language_code": primary(call.options.audio.language)} if call.options.audio.language else {}),
        **_given(call, _FIELDS),
        **({"voice_settings": settings} if (settings := _given(call, _SETTINGS)) else {}),
    }
    form = Format(call)
    call.meter(lambda: usage_of({"character": len(text)}, call.model.pricing, estimated=True))
    async with voice_for(api, call) as voice:
        timed = bool(call.options.audio.times)
        path = f"/v1/text-to-speech/{voice}/stream{'/with-timestamps' if timed else ''}"
        async with api.open(_request(path, call, form, json=body)) as reply:
            yield Facts(vendor_request_id=reply.request_id, vendor_model=call.model.id)
            source = _timed(reply, call, form) if timed else _plain(reply, form)
            async with aclosing(source) as outputs:
                async for output in outputs:
                    yield output
            yield usage_of({"character": _charged(reply, len(text))}, call.model.pricing)


async def change(api: Api, call: Call) -> Outputs:
    """``POST /v1/speech-to-speech/{voice}/stream``: the same words in another voice."""
    given, form = call.input(), Format(call)
    if given.uri:
        raise InvalidRequestError.at(given.field, "send the recording itself")
    kind = given.media_type.partition(";")[0]
    settings = _given(call, _SETTINGS)
    data = {
        "model_id": call.model.id,
        **{name: json.dumps(value) for name, value in _given(call, _FIELDS).items()},
        **({"voice_settings": json.dumps(settings)} if settings else {}),
    }
    files = {"audio": (f"audio{suffix_of(kind)}", await given.read(), kind)}
    async with voice_for(api, call) as voice:
        request = _request(f"/v1/speech-to-speech/{voice}/stream", call, form, data=data, files=files)
        async with api.open(request) as reply:
            yield Facts(vendor_request_id=reply.request_id, vendor_model=call.model.id)
            async with aclosing(_plain(reply, form)) as outputs:
                async for output in outputs:
                    yield output
            yield usage_of({"character": _charged(reply, 0)}, call.model.pricing)


async def sound(api: Api, call: Call) -> Outputs:
    """``POST /v1/sound-generation``: a sound, by its description."""
    text, form = _text(call), Format(call)
    body = {"text": text, "model_id": call.model.id, **_given(call, _FIELDS)}
    call.meter(lambda: usage_of({"request": 1}, call.model.pricing, estimated=True))
    async with api.open(_request("/v1/sound-generation", call, form, json=body)) as reply:
        yield Facts(vendor_request_id=reply.request_id, vendor_model=call.model.id)
        async with aclosing(_plain(reply, form)) as outputs:
            async for output in outputs:
                yield output
        yield usage_of({"request": 1, "character": _charged(reply, 0)}, call.model.pricing)


# -- what is sent -----------------------------------------------------------------------------------------------------


def _text(call: Call) -> str:
    if call.system:
        raise InvalidRequestError.at("turns[0]", "these models take no instructions; voices have a manner of their own")
    if text := prompt_of(call, framed=False):
        return text
    raise InvalidRequestError.at("turns", "there is nothing to say")


def _given(call: Call, fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for path, name in fields.items() if (value := call.option(path)) is not None}


def _request(path: str, call: Call, form: Format, **content: Any) -> Request:
    params = {"output_format": form.name}
    return Request("POST", path, params=params, fields=_PLACES, remaining=call.remaining(), **content)


# -- what comes back --------------------------------------------------------------------------------------------------


async def _plain(reply: Reply, form: Format) -> Outputs:
    decode, output = form.decoder(), Output(form.media_type)
    async with aclosing(reply.chunks()) as chunks:
        async for chunk in chunks:
            for data in decode(chunk):
                yield output.data(data)
    if output.index < 0:
        raise lost()


async def _timed(reply: Reply, call: Call, form: Format) -> Outputs:
    """Audio in lines of JSON, and when what is spoken."""
    decode, output = form.decoder(), Output(form.media_type)
    times = Output("", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT)
    alignment = Alignment(call.options.audio.times)
    async with aclosing(reply.lines()) as lines:
        async for line in lines:
            for data in decode(base64.b64decode(line.get("audio_base64") or "")):
                yield output.data(data)
            for segment in alignment.feed(line.get("alignment")):
                yield times.segment(segment)
    for segment in alignment.flush():
        yield times.segment(segment)
    if output.index < 0:
        raise lost()


def _charged(reply: Reply, otherwise: int) -> int:
    """Characters the vendor charges, as its header says."""
    stated = reply.headers.get("character-cost", "")
    return int(stated) if stated.isdigit() else otherwise
