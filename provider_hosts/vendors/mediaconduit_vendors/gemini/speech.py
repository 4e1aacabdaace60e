"""Speech and music."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit_provider import Call, Output
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import prompt_of
from mediaconduit_vendors.gemini.candidate import Candidate
from mediaconduit_vendors.gemini.contents import Contents
from mediaconduit_vendors.gemini.generate import Generate
from mediaconduit_vendors.gemini.options import passed_on
from mediaconduit_vendors.gemini.reading import Answer
from mediaconduit_vendors.options import place
from mediaconduit_vendors.pcm import Swapper, rate_of, wav_header

RATE: Final = 24000
"""Samples per second, where the vendor does not say."""
WAV: Final = "audio/wav"
L16: Final = f"audio/L16; rate={RATE}; channels=1"
FORMATS: Final = {"audio/mpeg": "AUDIO_MP3", "audio/ogg": "AUDIO_OGG_OPUS"}
"""What the vendor itself writes on demand; WAV and bare samples are made from what it sends by default."""


class Speech(Generate):
    """Speech as it is made. The manner of speaking, in ROLE_SYSTEM turns, goes before the text: so these models want
    it. Turns with names are spoken by the voices of `audio.speakers`."""

    async def request(self, call: Call, contents: Contents) -> dict[str, Any]:
        """One text, and the voices."""
        speakers = call.options.audio.speakers
        text = _dialogue(call) if speakers else prompt_of(call)
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}], **passed_on(call)}
        place(body, "generationConfig.responseModalities", ["AUDIO"])
        if speakers:
            voices = [{"speaker": each.name, "voiceConfig": _voice(each.voice)} for each in speakers]
            place(body, "generationConfig.speechConfig.multiSpeakerVoiceConfig.speakerVoiceConfigs", voices)
        elif voice := call.options.audio.voice:
            place(body, "generationConfig.speechConfig.voiceConfig", _voice(voice))
        if written := FORMATS.get(call.media_type(WAV, L16, *FORMATS)):
            place(body, "generationConfig.responseFormat.audio.mimeType", written)
        return body

    def answer(self, call: Call, api: Api) -> Answer:
        """Makes the format that is wanted from the samples that come."""
        return Answer(call, api.vendor.id, _Sound(call.media_type(WAV, L16, *FORMATS)).media)


class Music(Generate):
    """Music, with its lyrics where there are some."""

    def configure(self, call: Call, body: dict[str, Any]) -> None:
        """Wants sound."""
        call.media_type("audio/mpeg")
        place(body, "generationConfig.responseModalities", ["AUDIO", "TEXT"])


class _Sound:
    """Sound in pieces as one output.

    Args:
        wanted: Media type of it.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._begun = False
        self._swapper = Swapper()

    def media(self, candidate: Candidate, data: bytes, media_type: str, piece: Mapping[str, Any]) -> Iterator[Yielded]:
        """More sound. What comes with a header of its own is passed on."""
        bare = media_type.lower().startswith(("audio/l16", "audio/pcm"))
        if not self._begun:
            self._begun = True
            rate = rate_of(media_type, RATE)
            if bare and self._wanted == WAV:
                yield Output(WAV)
                yield wav_header(rate)
            else:
                yield Output(f"audio/L16; rate={rate}; channels=1" if bare else media_type or self._wanted)
        yield self._swapper.swapped(data) if bare and self._wanted != WAV else data


def _voice(name: str) -> dict[str, Any]:
    """A voice of the vendor's by its id or its full name."""
    return {"prebuiltVoiceConfig": {"voiceName": name.rpartition("/")[2]}}


def _dialogue(call: Call) -> str:
    """Turns as lines of a script: the vendor tells speakers apart by their names."""
    lines = [call.system] if call.system else []
    for turn in call.turns:
        text = "\n".join(part.text for part in turn.parts if part.HasField("text"))
        if turn.name and text:
            lines.append(f"{turn.name}: {text}")
        elif text and text != call.system:
            lines.append(text)
    return "\n".join(lines)
