"""Speech."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Usage

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.content import prompt_of
from mediaconduit_vendors.openai.operation import Operation, Outputs, facts_of
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openai.voices import voice_of
from mediaconduit_vendors.pcm import Swapper
from mediaconduit_vendors.reply import Reply, lost
from mediaconduit_vendors.usage import usage_of

L16: Final = "audio/L16; rate=24000; channels=1"
"""What OpenAI calls "pcm", in the contract's order of bytes."""
FORMATS: Final[Mapping[str, str]] = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "opus",
    "audio/flac": "flac",
    "audio/aac": "aac",
    L16: "pcm",
}
"""The vendor's formats by media type, the default first."""


class Speech(Operation):
    """``POST /audio/speech``: bytes as they are spoken."""

    path: ClassVar[str] = "/audio/speech"
    options: ClassVar[Mapping[str, Schema]] = {
        "audio.voice": {"type": "string"},
        "audio.speed": {"type": "number", "minimum": 0.25, "maximum": 4},
    }
    fields: ClassVar[Mapping[str, str]] = {"audio.voice": "voice", "audio.speed": "speed"}
    places: ClassVar[Mapping[str, str]] = {
        "input": "turns",
        "instructions": "turns",
        "response_format": "options.output_media_types",
    }
    formats: ClassVar[Mapping[str, str]] = FORMATS
    voice: ClassVar[str] = "alloy"
    """Where the caller names none; empty where the vendor needs none."""
    manner: ClassVar[str] = ""
    """The field for the manner of speaking, which is a ROLE_SYSTEM turn; empty where there is none."""

    async def __call__(self, api: Api, call: Call) -> Outputs:
        """Audio, as it comes."""
        text = self.text(call)
        media_type = call.media_type(*self.formats)
        request = await self.request(call, text, media_type)
        call.meter(lambda: usage_of({"character": len(text)}, call.model.pricing, estimated=True))
        swapper = Swapper() if self.formats[media_type] == "pcm" else None
        usage: Usage | None = None
        spoke = False
        async with api.open(request) as reply:
            yield facts_of(None, reply)
            async with aclosing(self.pieces(reply, call)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        usage = piece
                    elif data := swapper.swapped(piece) if swapper is not None else piece:
                        spoke = True
                        yield data
        if not spoke:
            raise lost()
        yield usage or usage_of({"character": len(text)}, call.model.pricing)

    def text(self, call: Call) -> str:
        """What is to be spoken."""
        if call.system and not self.manner:
            raise InvalidRequestError.at("turns[0]", "this model takes no instructions on how to speak")
        if text := prompt_of(call, framed=False):
            return text
        raise InvalidRequestError.at("turns", "there is nothing to say")

    async def request(self, call: Call, text: str, media_type: str) -> Request:
        """The request."""
        return self.asked(call, json=self.body(call, text, media_type))

    def body(self, call: Call, text: str, media_type: str) -> dict[str, Any]:
        """What is sent."""
        body: dict[str, Any] = {
            "model": self.model_name(call),
            "input": text,
            "response_format": self.formats[media_type],
            **self.passed_on(call),
        }
        if voice := voice_of(call) or self.voice:
            body["voice"] = self.voice_field(voice)
        if self.manner and call.system:
            body[self.manner] = call.system
        return body

    def voice_field(self, voice: str) -> Any:
        """A voice as the vendor wants it."""
        return voice

    async def pieces(self, reply: Reply, call: Call) -> AsyncGenerator[bytes | Usage, None]:
        """Audio as it is in the answer, and what it took, where the vendor says so."""
        async with aclosing(reply.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk


class GptSpeech(Speech):
    """OpenAI's models that are told how to speak; audio comes in events, and what it took with it."""

    manner: ClassVar[str] = "instructions"

    def body(self, call: Call, text: str, media_type: str) -> dict[str, Any]:
        """What is sent."""
        return super().body(call, text, media_type) | {"stream_format": "sse"}

    def voice_field(self, voice: str) -> Any:
        """Voices that were made for the operator are told from built-in ones."""
        return {"id": voice} if voice.startswith("voice_") else voice

    async def pieces(self, reply: Reply, call: Call) -> AsyncGenerator[bytes | Usage, None]:
        """Audio out of events; plain where the vendor sends it so all the same."""
        if reply.media_type not in ("text/event-stream", "application/json"):
            async with aclosing(super().pieces(reply, call)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        done = False
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                if audio := event.get("audio"):
                    yield base64.b64decode(audio)
                elif event.get("type") == "speech.audio.done":
                    done = True
                    if usage := event.get("usage"):
                        yield self.usage(usage, call)
                elif event.get("error") or event.get("type") == "error":
                    raise reply.failure(event)
        if not done:
            raise lost()

    def usage(self, usage: Mapping[str, Any], call: Call) -> Usage:
        """Tokens read, and tokens spoken."""
        units = {
            "input-token": usage.get("input_tokens") or 0,
            "output-audio-token": usage.get("output_tokens") or 0,
        }
        return usage_of(units, call.model.pricing)
