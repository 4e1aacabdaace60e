"""Speech and its recognition, by whoever serves the model."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Usage

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.operation import Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openai.speech import L16, Speech
from mediaconduit_vendors.openai.transcription import (
    TIMES,
    Transcription,
    primary,
    transcript_of,
    transcription_units,
)
from mediaconduit_vendors.openrouter.messages import AUDIO_FORMATS
from mediaconduit_vendors.usage import usage_of

_PASSED_THROUGH: Final[Mapping[str, Schema]] = {"extra.provider.options": {"type": "object"}}
"""What only who serves the model knows, by that provider's name."""
HEARD_FORMATS: Final[Mapping[str, str]] = {**AUDIO_FORMATS, "audio/webm": "webm", "video/webm": "webm"}
"""Formats of sound to transcribe, by media type."""


class RouterSpeech(Speech):
    """``POST /audio/speech``; a sample "voice", with its words as "voice-text" where they are known, is spoken like."""

    options: ClassVar[Mapping[str, Schema]] = {
        **_PASSED_THROUGH,
        "audio.voice": {"type": "string"},
        "audio.speed": {"type": "number", "exclusiveMinimum": 0},
    }
    places: ClassVar[Mapping[str, str]] = {**Speech.places, "input_references": "turns"}
    formats: ClassVar[Mapping[str, str]] = {"audio/mpeg": "mp3", L16: "pcm"}
    voice: ClassVar[str] = ""

    async def request(self, call: Call, text: str, media_type: str) -> Request:
        """The request."""
        body = self.body(call, text, media_type)
        if samples := call.inputs("voice"):
            if call.options.audio.voice:
                raise InvalidRequestError.at("options.audio.voice", 'name a voice or give a sample "voice", not both')
            sample = base64.b64encode(await samples[0].read()).decode()
            body["input_references"] = [{"type": "input_audio", "input_audio": {"data": sample}}]
            if words := " ".join(given.text for given in call.inputs("voice-text")):
                body["input_references"].append({"type": "text", "text": words})
        return self.asked(call, json=body)


class RouterTranscription(Transcription):
    """``POST /audio/transcriptions``: with times for segments, and for words where asked for."""

    options: ClassVar[Mapping[str, Schema]] = {
        **TIMES,
        **_PASSED_THROUGH,
        "transcript.language": {"type": "string"},
        "text.temperature": {"type": "number", "minimum": 0, "maximum": 1},
    }
    places: ClassVar[Mapping[str, str]] = {**Transcription.places, "input_audio": "turns"}
    subtitles: ClassVar[Mapping[str, str]] = {}

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The transcript."""
        answer, reply = await api.json(await self.request(call))
        yield facts_of(answer, reply)
        yield transcript_of(_with_names(answer))
        yield self.usage(answer, call)

    async def request(self, call: Call) -> Request:
        """The sound, in base64."""
        sound = call.input()
        if sound.uri:
            raise InvalidRequestError.at(
                sound.field, "send the content itself: this vendor does not fetch it from elsewhere"
            )
        kind = sound.media_type.partition(";")[0].strip().lower()
        data = base64.b64encode(await sound.read()).decode()
        heard = {"data": data, "format": HEARD_FORMATS.get(kind, kind.partition("/")[2])}
        return self.asked(call, json={**self.body(call), "input_audio": heard})

    def hints(self, call: Call) -> dict[str, Any]:
        """None are taken."""
        if call.system:
            raise InvalidRequestError.at("turns[0]", "this model takes no instructions")
        return {}

    def body(self, call: Call) -> dict[str, Any]:
        """The other fields."""
        body = super().body(call)
        if call.options.transcript.language:
            body["language"] = primary(call.options.transcript.language)
        return body

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Seconds or tokens, at what OpenRouter charged."""
        charged = (answer.get("usage") or {}).get("cost")
        return usage_of(transcription_units(answer), call.model.pricing, charged=charged)


def _with_names(answer: Any) -> Any:
    """Speakers have numbers here, the first of them 0."""
    if not isinstance(answer, Mapping):
        return answer
    named = dict(answer)
    for list_name in ("segments", "words"):
        named[list_name] = [
            {**entry, "speaker": "" if entry.get("speaker") is None else str(entry["speaker"])}
            for entry in answer.get(list_name) or ()
        ]
    return named
