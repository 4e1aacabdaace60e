"""Speech, with voices of Mistral's or from a sample."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final

from mediaconduit_provider import Call, InvalidRequestError, Usage, Voice, VoiceOrigin

from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.options import Schema
from mediaconduit_vendors.openai.speech import Speech
from mediaconduit_vendors.openai.voices import voice_of
from mediaconduit_vendors.reply import Reply, lost

PAGE: Final = 100
"""Voices asked for at once."""


class MistralSpeech(Speech):
    """``POST /audio/speech``, in events."""

    options: ClassVar[Mapping[str, Schema]] = {"audio.voice": {"type": "string"}}
    fields: ClassVar[Mapping[str, str]] = {}
    places: ClassVar[Mapping[str, str]] = {
        **Speech.places,
        "voice_id": "options.audio.voice",
        "ref_audio": "turns",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "audio/mpeg": "mp3",
        "audio/wav": "wav",
        "audio/ogg": "opus",
        "audio/flac": "flac",
    }
    voice: ClassVar[str] = ""

    async def request(self, call: Call, text: str, media_type: str) -> Request:
        """The request, with a sample of the voice where one is given."""
        body = self.body(call, text, media_type)
        if samples := call.inputs("voice"):
            if call.options.audio.voice:
                raise InvalidRequestError.at("options.audio.voice", 'name a voice or give a sample "voice", not both')
            body["ref_audio"] = base64.b64encode(await samples[0].read()).decode()
        return self.asked(call, json=body)

    def body(self, call: Call, text: str, media_type: str) -> dict[str, Any]:
        """What is sent."""
        body = super().body(call, text, media_type) | {"stream": True}
        body.pop("voice", None)
        if voice := voice_of(call):
            body["voice_id"] = voice
        return body

    async def pieces(self, reply: Reply, call: Call) -> AsyncGenerator[bytes | Usage, None]:
        """Audio out of events, or of one answer."""
        done = False
        async with aclosing(reply.events()) as events:
            async for _, event in events:
                if event.get("audio_data"):
                    yield base64.b64decode(event["audio_data"])
                    done = done or "type" not in event
                elif event.get("type") == "speech.audio.done":
                    done = True
                elif event.get("error") or event.get("object") == "error":
                    raise reply.failure(event)
        if not done:
            raise lost()


async def list_voices(api: Api) -> Sequence[Voice]:
    """All voices of the account, one's own first."""
    found: list[Mapping[str, Any]] = []
    while True:
        answer, _ = await api.json(Request("GET", "/audio/voices", params={"limit": PAGE, "offset": len(found)}))
        items = answer.get("items") or ()
        found += items
        if not items or len(found) >= (answer.get("total") or 0):
            break
    return [_voice(entry) for entry in sorted(found, key=lambda entry: not entry.get("user_id"))]


def _voice(entry: Mapping[str, Any]) -> Voice:
    labels = {name: str(entry[name]) for name in ("gender", "age") if entry.get(name)}
    if tags := entry.get("tags"):
        labels["tags"] = ", ".join(map(str, tags))
    own = bool(entry.get("user_id"))
    return Voice(
        name=entry["id"],
        display_name=entry.get("name") or "",
        origin=VoiceOrigin.VOICE_ORIGIN_CLONED if own else VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
        languages=[language.replace("_", "-") for language in entry.get("languages") or ()],
        labels=labels,
    )
