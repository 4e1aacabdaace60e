"""Scribe: speech, and sounds that are none, as text with times and speakers."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, Final

from mediaconduit.content import suffix_of
from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Call, Facts, InvalidRequestError, Segment, Transcript
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.languages import tag_of
from mediaconduit_vendors.openai.transcription import duration, primary
from mediaconduit_vendors.options import Schema, paths_by_field
from mediaconduit_vendors.reply import not_understood
from mediaconduit_vendors.usage import usage_of

OPTIONS: Final[Mapping[str, Schema]] = {
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "text.temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "transcript.language": {"type": "string"},
    "transcript.times": {
        "enum": ["TIME_DETAIL_UNSPECIFIED", "TIME_DETAIL_SEGMENT", "TIME_DETAIL_WORD", "TIME_DETAIL_CHARACTER"]
    },
    "transcript.speakers": {"type": "boolean"},
    "transcript.speaker_count": {"type": "integer", "minimum": 1, "maximum": 32},
    "transcript.vocabulary": {"type": "array", "items": {"type": "string"}},
    "extra.tag_audio_events": {"type": "boolean", "description": "Whether laughter and the like are written down."},
    "extra.diarization_threshold": {"type": "number", "minimum": 0.1, "maximum": 0.4},
    "extra.no_verbatim": {"type": "boolean", "description": "Leave out fillers and false starts."},
    "extra.use_multi_channel": {"type": "boolean", "description": "A speaker to each channel of the recording."},
}
_FIELDS: Final = {
    "seed": "seed",
    "text.temperature": "temperature",
    "transcript.speakers": "diarize",
    "transcript.speaker_count": "num_speakers",
    "extra.tag_audio_events": "tag_audio_events",
    "extra.diarization_threshold": "diarization_threshold",
    "extra.no_verbatim": "no_verbatim",
    "extra.use_multi_channel": "use_multi_channel",
}
_PLACES: Final = paths_by_field(_FIELDS) | {
    "file": "turns",
    "language_code": "options.transcript.language",
    "keyterms": "options.transcript.vocabulary",
    "timestamps_granularity": "options.transcript.times",
}


async def transcribe(api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
    """``POST /v1/speech-to-text``."""
    given, options = call.input(), call.options.transcript
    if given.uri:
        raise InvalidRequestError.at(given.field, "send the recording itself")
    kind = given.media_type.partition(";")[0]
    detail = "character" if options.times == TimeDetail.TIME_DETAIL_CHARACTER else "word"
    data: dict[str, Any] = {
        "model_id": call.model.id,
        "timestamps_granularity": detail,
        **({"language_code": primary(options.language)} if options.language else {}),
        **({"keyterms": list(options.vocabulary)} if options.vocabulary else {}),
        **{name: json.dumps(value) for path, name in _FIELDS.items() if (value := call.option(path)) is not None},
    }
    files = {"file": (f"audio{suffix_of(kind)}", await given.read(), kind)}
    request = Request("POST", "/v1/speech-to-text", data=data, files=files, fields=_PLACES, remaining=call.remaining())
    answer, reply = await api.json(request)
    yield Facts(call.model.id, reply.request_id, answer.get("transcription_id") or "")
    channels = answer.get("transcripts") or [answer]
    transcript = Transcript(language=tag_of(channels[0].get("language_code") or ""))
    for channel in channels:
        transcript.segments.extend(_segments(channel, options.times))
    yield transcript
    yield usage_of({"input-audio-millisecond": _heard(answer, channels)}, call.model.pricing)


def _segments(channel: Mapping[str, Any], times: TimeDetail.ValueType) -> Iterator[Segment]:
    """What one speaker says without a break is a segment, and so is a sound."""
    words = channel.get("words")
    if words is None:
        raise not_understood("it holds no transcript")
    if not words:
        yield Segment(text=channel.get("text") or "")
    run: list[Mapping[str, Any]] = []
    for word in words:
        if run and (_kind(word) != _kind(run[0]) or _speaker(word, run) != _speaker(run[0], run)):
            yield _segment(run, channel, times)
            run = []
        run.append(word)
    if run:
        yield _segment(run, channel, times)


def _kind(word: Mapping[str, Any]) -> bool:
    return word.get("type") == "audio_event"


def _speaker(word: Mapping[str, Any], run: Sequence[Mapping[str, Any]]) -> str:
    """Whose it is; the space after a word is of whoever spoke it."""
    return word.get("speaker_id") or run[0].get("speaker_id") or ""


def _segment(run: Sequence[Mapping[str, Any]], channel: Mapping[str, Any], times: TimeDetail.ValueType) -> Segment:
    segment = Segment(
        text="".join(word.get("text") or "" for word in run),
        speaker=_speaker(run[0], run),
        sound=_kind(run[0]),
        channel=channel.get("channel_index") or 0,
    )
    said = [word for word in run if word.get("type") != "spacing"] or list(run)
    _place(segment, said[0].get("start"), said[-1].get("end"))
    if times in (TimeDetail.TIME_DETAIL_WORD, TimeDetail.TIME_DETAIL_CHARACTER) and not segment.sound:
        for word in said:
            finer = word.get("characters") if times == TimeDetail.TIME_DETAIL_CHARACTER else None
            segment.words.extend(_word(entry, word) for entry in finer or (word,))
    return segment


def _word(entry: Mapping[str, Any], word: Mapping[str, Any]) -> Segment:
    found = Segment(text=entry.get("text") or "")
    _place(found, entry.get("start"), entry.get("end"))
    if (logprob := word.get("logprob")) is not None:
        found.confidence = min(1.0, math.exp(logprob))
    return found


def _place(segment: Segment, start: float | None, end: float | None) -> None:
    if start is not None:
        segment.start_offset.CopyFrom(duration(start))
    if end is not None:
        segment.end_offset.CopyFrom(duration(end))


def _heard(answer: Mapping[str, Any], channels: Sequence[Mapping[str, Any]]) -> int:
    """Milliseconds of the recording: as stated, else to the end of the last word."""
    seconds = answer.get("audio_duration_secs") or channels[0].get("audio_duration_secs")
    if seconds is None:
        ends = [word["end"] for channel in channels for word in channel.get("words") or () if word.get("end")]
        seconds = max(ends, default=0.0)
    return round(float(seconds) * 1000)
