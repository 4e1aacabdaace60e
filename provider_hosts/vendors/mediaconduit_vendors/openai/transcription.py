"""Speech recognition and translation into English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from google.protobuf.duration_pb2 import Duration
from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Call, InvalidRequestError, Output, OutputKind, Segment, Transcript, Usage

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import data_url
from mediaconduit_vendors.openai.forms import File, files_of, form
from mediaconduit_vendors.openai.languages import tag_of
from mediaconduit_vendors.openai.logprobs import token_logprobs
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.reply import Reply, lost, not_understood
from mediaconduit_vendors.usage import estimated_usage, usage_of

SUBTITLES: Final[Mapping[str, str]] = {"application/x-subrip": "srt", "text/vtt": "vtt"}
"""Formats of subtitles by media type."""
_ENDS: Final = re.compile(r"--> *(?:(\d+):)?(\d+):(\d+)[.,](\d{3})")
TIMES: Final[Mapping[str, Schema]] = {
    "transcript.times": {"enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT", "TIME_DETAIL_WORD"]}
}
"""The option for times."""


class Transcription(Operation):
    """``POST /audio/transcriptions``, answered whole: with times for segments, and for words where asked for."""

    path: ClassVar[str] = "/audio/transcriptions"
    translations: ClassVar[str] = "/audio/translations"
    """Where speech is translated into English."""
    options: ClassVar[Mapping[str, Schema]] = {
        **TIMES,
        "transcript.language": {"type": "string"},
        "transcript.translate_to": {"enum": ["", "en"]},
        "transcript.vocabulary": {"type": "array", "items": {"type": "string"}},
        "text.temperature": {"type": "number", "minimum": 0, "maximum": 1},
    }
    fields: ClassVar[Mapping[str, str]] = {"text.temperature": "temperature"}
    places: ClassVar[Mapping[str, str]] = {
        "file": "turns",
        "prompt": "options.transcript.vocabulary",
        "keywords": "options.transcript.vocabulary",
        "language": "options.transcript.language",
        "timestamp_granularities": "options.transcript.times",
        "response_format": "options.transcript.times",
    }
    subtitles: ClassVar[Mapping[str, str]] = SUBTITLES
    """Made by the vendor itself."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The transcript."""
        request = await self.request(call)
        if self.wanted_subtitles(call):
            async with api.open(request) as reply:
                yield facts_of(None, reply)
                subtitles = (await reply.read()).decode("utf-8", "replace")
            output = Output(call.media_type("text/plain", *self.subtitles), kind=OutputKind.OUTPUT_KIND_TEXT)
            yield output.text(subtitles)
            if heard := last_moment(subtitles):
                yield usage_of({"input-audio-millisecond": heard}, call.model.pricing, estimated=True)
            return
        answer, reply = await api.json(request)
        yield facts_of(answer, reply)
        yield transcript_of(answer)
        yield self.usage(answer, call)

    # -- what is sent -------------------------------------------------------------------------------------------------

    def path_for(self, call: Call) -> str:
        """Translations have a path of their own."""
        return self.translations if call.options.transcript.translate_to else self.path

    async def request(self, call: Call) -> Request:
        """A form with the audio, as `form` wants it."""
        files: list[File] = [("file", call.input())]
        return self.asked(call, data=form(self.body(call)), files=await files_of(files))

    def body(self, call: Call) -> dict[str, Any]:
        """The other fields."""
        options = call.options.transcript
        body: dict[str, Any] = {
            "model": self.model_name(call),
            "response_format": self.format(call),
            **self.hints(call),
            **self.passed_on(call),
        }
        if options.language:
            if options.translate_to:
                raise InvalidRequestError.at("options.transcript.language", "is detected when speech is translated")
            body["language"] = primary(options.language)
        if details := self.granularities(call):
            body["timestamp_granularities"] = details
        return body

    def hints(self, call: Call) -> dict[str, Any]:
        """What is known of the speech beforehand: instructions and words likely to come."""
        words = ", ".join(call.options.transcript.vocabulary)
        prompt = "\n".join(text for text in (call.system, words) if text)
        return {"prompt": prompt} if prompt else {}

    def wanted_subtitles(self, call: Call) -> str:
        """The format of subtitles that is wanted; empty for a transcript."""
        media_type = call.media_type("text/plain", *self.subtitles)
        return self.subtitles.get(media_type, "")

    def format(self, call: Call) -> str:
        """``response_format``."""
        return self.wanted_subtitles(call) or "verbose_json"

    def granularities(self, call: Call) -> Sequence[str]:
        """Times wanted; those of segments come by themselves."""
        words = call.options.transcript.times == TimeDetail.TIME_DETAIL_WORD
        if not words or self.wanted_subtitles(call) or call.options.transcript.translate_to:
            return ()
        return ("word", "segment")

    # -- what comes back ----------------------------------------------------------------------------------------------

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """Tokens or milliseconds, as the vendor charges."""
        return usage_of(transcription_units(answer), call.model.pricing)


class StreamedTranscription(Transcription):
    """OpenAI's newer models: text as it is recognised, without times."""

    options: ClassVar[Mapping[str, Schema]] = {
        "transcript.language": {"type": "string"},
        "transcript.vocabulary": {"type": "array", "items": {"type": "string"}},
        "text.temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "text.top_logprobs": {"type": "integer", "minimum": 0, "maximum": 0},
        "extra.chunking_strategy": {"enum": ["auto"]},
    }
    subtitles: ClassVar[Mapping[str, str]] = {}
    has_segments: ClassVar[bool] = False
    """Whether segments come, beside which the deltas say nothing new."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """The transcript, as it comes."""
        request = await self.request(call)
        async with api.open(request) as reply:
            yield facts_of(None, reply)
            async with aclosing(self.streamed(reply, call)) as outputs:
                async for yielded in outputs:
                    yield yielded

    def format(self, call: Call) -> str:
        """``response_format``."""
        return "json"

    def body(self, call: Call) -> dict[str, Any]:
        """The fields, and that it shall stream."""
        body = super().body(call) | {"stream": True}
        if call.options.text.HasField("top_logprobs"):
            body["include"] = ["logprobs"]
        return body

    async def streamed(self, reply: Reply, call: Call) -> Outputs:
        """Text and segments as they come; all of it where the vendor did not stream."""
        output = Output("", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT)
        done = began = False
        written = 0
        # The vendor counts at the end only: what a call that is cut has heard is not known.
        call.meter(lambda: estimated_usage(0, written, call.model.pricing))
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                written += len(event.get("delta") or event.get("text") or "")
                match event.get("type"):
                    case "transcript.text.delta" if not self.has_segments:
                        began = True
                        yield output.text(event.get("delta") or "", token_logprobs(event.get("logprobs") or ()))
                    case "transcript.text.segment":
                        began = True
                        yield output.segment(segment_of(event))
                    case "transcript.text.done":
                        done = True
                        if not began:
                            yield output.text(event.get("text") or "")
                        yield self.usage(event, call)
                    case "error":
                        raise reply.failure(event)
                    case None if "text" in event:
                        done = True
                        yield transcript_of(event)
                        yield self.usage(event, call)
                    case None if event.get("error"):
                        raise reply.failure(event)
        if not done:
            raise lost()


class GptTranscription(StreamedTranscription):
    """gpt-transcribe: it is told the words themselves."""

    options: ClassVar[Mapping[str, Schema]] = {
        path: schema for path, schema in StreamedTranscription.options.items() if path != "text.top_logprobs"
    }

    def hints(self, call: Call) -> dict[str, Any]:
        """Instructions and words likely to come."""
        vocabulary = list(call.options.transcript.vocabulary)
        return {
            **({"prompt": call.system} if call.system else {}),
            **({"keywords": vocabulary} if vocabulary else {}),
        }


class Diarization(StreamedTranscription):
    """Who says what. Up to four speakers are known by samples: inputs "voice", and their names, in the same order."""

    options: ClassVar[Mapping[str, Schema]] = {
        "transcript.language": {"type": "string"},
        "transcript.speakers": {"type": "boolean"},
        "transcript.times": {"enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT"]},
        "text.temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "extra.known_speaker_names": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
    }
    has_segments: ClassVar[bool] = True

    def format(self, call: Call) -> str:
        """``response_format``."""
        return "diarized_json"

    async def request(self, call: Call) -> Request:
        """A form with the audio and the samples."""
        voices, names = call.inputs("voice"), call.option("extra.known_speaker_names", [])
        if len(voices) != len(names):
            raise InvalidRequestError.at("options.extra.known_speaker_names", 'one name for each input "voice"')
        samples = [data_url(await voice.read(), voice.media_type) for voice in voices]
        body = self.body(call) | ({"known_speaker_references": samples} if samples else {})
        return self.asked(call, data=form(body), files=await files_of([("file", call.input())]))

    def hints(self, call: Call) -> dict[str, Any]:
        """How it is cut; it takes no prompt."""
        if call.system:
            raise InvalidRequestError.at("turns[0]", "this model takes no instructions")
        return {"chunking_strategy": "auto"}


def transcript_of(answer: Any) -> Transcript:
    """A transcript that came whole. Raises `InternalError`, VENDOR_PROTOCOL."""
    if isinstance(answer, str):
        return Transcript(segments=[Segment(text=answer)])
    if not isinstance(answer, Mapping) or "text" not in answer:
        raise not_understood("it holds no transcript")
    segments = [segment_of(segment) for segment in answer.get("segments") or () if segment]
    words = [segment_of(word) for word in answer.get("words") or () if word]
    if not segments:
        segments = [Segment(text=answer.get("text") or "")]
    _place(words, segments)
    heard = next((entry.get("code") for entry in answer.get("languages") or () if isinstance(entry, Mapping)), "")
    return Transcript(segments=segments, language=tag_of(answer.get("language") or heard or ""))


def segment_of(entry: Mapping[str, Any]) -> Segment:
    """A segment or a word."""
    segment = Segment(text=entry.get("text") or entry.get("word") or "", speaker=entry.get("speaker") or "")
    if entry.get("start") is not None:
        segment.start_offset.CopyFrom(duration(entry["start"]))
    if entry.get("end") is not None:
        segment.end_offset.CopyFrom(duration(entry["end"]))
    return segment


def _place(words: Sequence[Segment], segments: Sequence[Segment]) -> None:
    """Words into the segments they are spoken in: the last one that has begun."""
    starts = [segment.start_offset.ToNanoseconds() for segment in segments]
    at = 0
    for word in words:
        begins = word.start_offset.ToNanoseconds()
        while at + 1 < len(segments) and starts[at + 1] <= begins:
            at += 1
        segments[at].words.append(word)


def duration(seconds: float) -> Duration:
    """Seconds as a duration, to the microsecond."""
    made = Duration()
    made.FromMicroseconds(round(seconds * 1e6))
    return made


def transcription_units(answer: Mapping[str, Any]) -> dict[str, int]:
    """Counts by unit."""
    usage = answer.get("usage") or {}
    if seconds := usage.get("seconds") or (not usage and answer.get("duration")):
        return {"input-audio-millisecond": round(float(seconds) * 1000)}
    details = usage.get("input_token_details") or {}
    read, heard = usage.get("input_tokens") or 0, details.get("audio_tokens") or 0
    return {
        "input-token": max(0, read - heard),
        "input-audio-token": heard,
        "output-token": usage.get("output_tokens") or 0,
    }


def last_moment(subtitles: str) -> int:
    """Milliseconds until the last of them ends; 0 = there are none."""
    times = _ENDS.findall(subtitles)
    if not times:
        return 0
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in times[-1])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def primary(language: str) -> str:
    """The primary subtag: "de" for "de-CH"."""
    return language.partition("-")[0].lower()
