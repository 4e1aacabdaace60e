"""Speech, and its recognition."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Call, InvalidRequestError, Transcript, Usage
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.forms import files_of, form
from mediaconduit_vendors.openai.languages import tag_of
from mediaconduit_vendors.openai.operation import Address, Outputs, facts_of
from mediaconduit_vendors.openai.speech import Speech
from mediaconduit_vendors.openai.transcription import TIMES, Transcription, primary, segment_of, transcript_of
from mediaconduit_vendors.openai.voices import voice_of
from mediaconduit_vendors.options import Schema, without
from mediaconduit_vendors.pcm import rate_of
from mediaconduit_vendors.reply import Reply

_LANGUAGES: Final = "en|de|fr|es|hi|it|ja|ko|nl|pl|pt|ru|sv|tr|zh"
_RATE: Final = 24000


def _l16(*rates: int) -> dict[str, str]:
    return {f"audio/L16; rate={rate}; channels=1": "pcm" for rate in rates}


class TogetherSpeech(Speech):
    """``POST /v1/audio/speech``: raw samples stream, files come when they are ready.

    Args:
        voice: Who speaks where the caller names nobody; empty = the caller must.
        address: Where it is.
    """

    options: ClassVar[Mapping[str, Schema]] = {
        "audio.voice": {"type": "string"},
        "audio.language": {"type": "string", "pattern": f"^({_LANGUAGES})(-.*)?$"},
        "extra.bit_rate": {"enum": [32000, 64000, 96000, 128000, 192000]},
    }
    fields: ClassVar[Mapping[str, str]] = {}
    places: ClassVar[Mapping[str, str]] = {
        **Speech.places,
        "voice": "options.audio.voice",
        "language": "options.audio.language",
        "sample_rate": "options.output_media_types",
    }
    formats: ClassVar[Mapping[str, str]] = {"audio/mpeg": "mp3", "audio/wav": "wav", **_l16(_RATE)}

    def __init__(self, voice: str = "", address: Address | None = None) -> None:
        super().__init__(address)
        self._default = voice

    def body(self, call: Call, text: str, media_type: str) -> dict[str, Any]:
        """What is sent."""
        body = super().body(call, text, media_type)
        body["voice"] = voice_of(call) or self._default
        if not body["voice"]:
            raise InvalidRequestError.at("options.audio.voice", "name a voice of this model; ListVoices has them")
        if language := call.options.audio.language:
            body["language"] = primary(language)
        if body["response_format"] == "pcm":
            rate = rate_of(media_type, _RATE)
            body |= {"response_format": "raw", "response_encoding": "pcm_s16le", "sample_rate": rate, "stream": True}
        return body

    async def pieces(self, reply: Reply, call: Call) -> AsyncGenerator[bytes | Usage, None]:
        """Audio, out of events where it streams."""
        if reply.media_type != "text/event-stream":
            async with aclosing(super().pieces(reply, call)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                if audio := event.get("b64"):
                    yield base64.b64decode(audio)
                elif event.get("error"):
                    raise reply.failure(event)


class RatedSpeech(TogetherSpeech):
    """Models that speak at any rate."""

    formats: ClassVar[Mapping[str, str]] = {
        "audio/mpeg": "mp3",
        "audio/wav": "wav",
        **_l16(_RATE, 8000, 16000, 22050, 44100, 48000),
    }


class TogetherTranscription(Transcription):
    """``POST /v1/audio/transcriptions``, and ``…/translations`` into any language; who says what, where asked for."""

    options: ClassVar[Mapping[str, Schema]] = {
        **without(Transcription.options, "transcript.translate_to"),
        **TIMES,
        "transcript.translate_to": {"type": "string", "pattern": "^([a-zA-Z]{2}(-.*)?)?$"},
        "transcript.speakers": {"type": "boolean"},
        "transcript.speaker_count": {"type": "integer", "minimum": 1},
    }
    places: ClassVar[Mapping[str, str]] = {
        **Transcription.places,
        "diarize": "options.transcript.speakers",
        "min_speakers": "options.transcript.speaker_count",
        "max_speakers": "options.transcript.speaker_count",
    }
    subtitles: ClassVar[Mapping[str, str]] = {}

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The transcript."""
        answer, reply = await api.json(await self.request(call))
        yield facts_of(answer, reply)
        yield by_speakers(answer) or transcript_of(answer)
        yield self.usage(answer, call)

    async def request(self, call: Call) -> Request:
        """A form with the audio, or where it is."""
        audio = call.input()
        data = form(self.body(call))
        if audio.uri:
            return self.asked(call, data=data, files=[("file", (None, audio.uri))])
        return self.asked(call, data=data, files=await files_of([("file", audio)]))

    def body(self, call: Call) -> dict[str, Any]:
        """The other fields. Together takes speech for English where it is not told to find out."""
        wanted = call.options.transcript
        body = super().body(call)
        body.setdefault("language", primary(wanted.translate_to) if wanted.translate_to else "auto")
        if wanted.times == TimeDetail.TIME_DETAIL_WORD:
            body["timestamp_granularities"] = "word"
        if not wanted.speakers:
            if wanted.HasField("speaker_count"):
                raise InvalidRequestError.at("options.transcript.speaker_count", "goes with speakers")
            return body
        if wanted.translate_to:
            raise InvalidRequestError.at("options.transcript.speakers", "are not told apart when speech is translated")
        body["diarize"] = True
        if wanted.HasField("speaker_count"):
            body |= {"min_speakers": wanted.speaker_count, "max_speakers": wanted.speaker_count}
        return body

    def granularities(self, call: Call) -> Sequence[str]:
        """Written as one word, in `body`."""
        return ()


def by_speakers(answer: Any) -> Transcript | None:
    """A transcript whose segments have speakers; None for one that has none."""
    if not isinstance(answer, Mapping):
        return None
    segments = []
    for entry in filter(None, answer.get("speaker_segments") or ()):
        segment = segment_of({**entry, "speaker": entry.get("speaker_id")})
        segment.words.extend(segment_of(word) for word in entry.get("words") or () if word)
        segments.append(segment)
    return Transcript(segments=segments, language=tag_of(answer.get("language") or "")) if segments else None
