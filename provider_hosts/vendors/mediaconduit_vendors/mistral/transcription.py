"""Speech recognition, as it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Call, InvalidRequestError, Output, OutputKind, Segment, Transcript, Usage

from mediaconduit_vendors.api import Request
from mediaconduit_vendors.mistral.chat import units_of
from mediaconduit_vendors.openai.forms import files_of
from mediaconduit_vendors.openai.operation import Outputs
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openai.transcription import TIMES, StreamedTranscription, duration, primary
from mediaconduit_vendors.reply import Reply, lost
from mediaconduit_vendors.usage import estimated_usage, usage_of

_TIMES: Final = {TimeDetail.TIME_DETAIL_SEGMENT: "segment", TimeDetail.TIME_DETAIL_WORD: "word"}


class MistralTranscription(StreamedTranscription):
    """``POST /audio/transcriptions``: text as it is recognised, or segments with times and speakers."""

    options: ClassVar[Mapping[str, Schema]] = {
        **TIMES,
        "transcript.language": {"type": "string"},
        "transcript.speakers": {"type": "boolean"},
        "transcript.vocabulary": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^[^,\s]+$"},
            "maxItems": 100,
        },
        "text.temperature": {"type": "number", "minimum": 0},
    }
    places: ClassVar[Mapping[str, str]] = {
        **StreamedTranscription.places,
        "context_bias": "options.transcript.vocabulary",
        "diarize": "options.transcript.speakers",
    }

    async def request(self, call: Call) -> Request:
        """A form with the audio, or with where it is."""
        audio = call.input()
        if audio.uri.startswith("https://"):
            # A form without a file is one of parts all the same: every field is sent as a part.
            fields = self.body(call) | {"file_url": audio.uri}
            parts = [(name, (None, each)) for name, value in fields.items() for each in _listed(value)]
            return self.asked(call, files=parts)
        return self.asked(call, data=self.body(call), files=await files_of([("file", audio)]))

    def body(self, call: Call) -> dict[str, Any]:
        """The other fields."""
        if call.system:
            raise InvalidRequestError.at("turns[0]", "this model takes no instructions")
        options = call.options.transcript
        body: dict[str, Any] = {"model": self.model_name(call), "stream": "true"}
        if options.language:
            body["language"] = primary(options.language)
        if options.speakers:
            body["diarize"] = "true"
        if options.vocabulary:
            body["context_bias"] = list(options.vocabulary)
        if detail := self.granularities(call):
            body["timestamp_granularities"] = list(detail)
        if call.options.text.HasField("temperature"):
            body["temperature"] = str(call.options.text.temperature)
        return body

    def granularities(self, call: Call) -> Sequence[str]:
        """Times wanted; speakers are told apart by segments."""
        options = call.options.transcript
        detail = _TIMES.get(options.times, "segment" if options.speakers else "")
        return (detail,) if detail else ()

    async def streamed(self, reply: Reply, call: Call) -> Outputs:
        """Segments where they are wanted, else text, as they come."""
        in_segments = bool(self.granularities(call))
        output = Output("", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT)
        began = done = False
        written = 0
        # The vendor counts at the end only: what a call that is cut has heard is not known.
        call.meter(lambda: estimated_usage(0, written, call.model.pricing))
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                kind, text = event.get("type") or "", event.get("text") or ""
                written += len(text)
                if kind == "transcription.segment" and in_segments:
                    began = True
                    yield output.segment(segment_of(event))
                elif kind == "transcription.text.delta" and not in_segments:
                    began = began or bool(text)
                    yield output.text(text)
                elif kind == "transcription.done" or (not kind and "text" in event):
                    done = True
                    if not began:
                        yield transcript_of(event)
                    yield self.usage(event, call)
                elif event.get("error") or event.get("object") == "error":
                    raise reply.failure(event)
        if not done:
            raise lost()

    def usage(self, answer: Mapping[str, Any], call: Call) -> Usage:
        """How long was listened to, by which it is charged, else tokens."""
        units = units_of(answer.get("usage") or {})
        heard = units["input-audio-millisecond"]
        return usage_of({"input-audio-millisecond": heard} if heard else units, call.model.pricing)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def transcript_of(answer: Mapping[str, Any]) -> Transcript:
    """A transcript that came whole."""
    segments = [segment_of(entry) for entry in answer.get("segments") or ()]
    return Transcript(
        segments=segments or [Segment(text=answer.get("text") or "")], language=answer.get("language") or ""
    )


def segment_of(entry: Mapping[str, Any]) -> Segment:
    """A segment, or a word where words were asked for."""
    segment = Segment(text=entry.get("text") or "", speaker=str(entry.get("speaker_id") or ""))
    if entry.get("start") is not None:
        segment.start_offset.CopyFrom(duration(entry["start"]))
    if entry.get("end") is not None:
        segment.end_offset.CopyFrom(duration(entry["end"]))
    if entry.get("score") is not None:
        segment.confidence = entry["score"]
    return segment
