"""ElevenLabs, with answers as its description shows them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from mediaconduit import Media, Result
from mediaconduit.errors import Reason
from mediaconduit.outputs import plain
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import binary, json_reply, ndjson

from tests.integration.vendors.matrix import Case, Refusal

DESCRIPTION = "elevenlabs/openapi.json"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)
MP3 = b"ID3\x04" + bytes(range(200))
VOICE = "21m00Tcm4TlvDq8ikWAM"
MODEL = {
    "model_id": "eleven_multilingual_v2",
    "name": "Multilingual v2",
    "can_do_text_to_speech": True,
    "can_do_voice_conversion": False,
    "description": "made up",
    "languages": [{"language_id": "en", "name": "English"}],
}
CHANGER = {
    **MODEL,
    "model_id": "eleven_multilingual_sts_v2",
    "can_do_text_to_speech": False,
    "can_do_voice_conversion": True,
}
MODELS = {"GET /v1/models": json_reply([MODEL, CHANGER, {**MODEL, "model_id": "x", "can_do_text_to_speech": False}])}


def refusal(status: int) -> dict[str, Any]:
    """An error as ElevenLabs writes it."""
    codes = {401: "invalid_api_key", 404: "voice_not_found", 429: "too_many_concurrent_requests", 529: "system_busy"}
    return {"detail": {"status": codes.get(status, "internal_error"), "message": f"made up: {status}"}}


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of ElevenLabs'."""
    defaults: dict[str, Any] = {
        "errors": refusal,
        "routes": MODELS,
        "description": DESCRIPTION,
        "not_found": Reason.RESOURCE_NOT_FOUND,
    }
    return Case(vendor="elevenlabs", operation=operation, path=path, check=check, **{**defaults, **more})


def pieces(data: bytes, media_type: str, **headers: str) -> Any:
    return binary(data, media_type).split(40).with_headers(**headers)


# -- speech -----------------------------------------------------------------------------------------------------------


def _check_speech(result: Result) -> None:
    assert result.data == MP3
    assert result.outputs[0].media_type == "audio/mpeg"
    assert dict(result.usage.units) == {"character": 6}
    assert result.usage.nano_cost == 480_000


SPEECH = case(
    "speech",
    f"/v1/text-to-speech/{VOICE}/stream",
    _check_speech,
    model="eleven_multilingual_v2",
    content="Hello.",
    keywords={
        "seed": 1,
        "audio": {"voice": f"providers/elevenlabs/voices/{VOICE}", "speed": 1.1, "language": "en-GB"},
        "extra": {"stability": 0.5, "next_text": "How are you?"},
    },
    reply=pieces(MP3, "audio/mpeg", character_cost="6"),
    refusals=[
        Refusal(401, {"detail": {"status": "quota_exceeded", "message": "made up"}}, Reason.QUOTA_EXCEEDED),
        Refusal(
            422,
            {"detail": [{"loc": ["body", "voice_settings", "speed"], "msg": "too fast", "type": "value_error"}]},
            Reason.INPUT_INVALID,
            "options.audio.speed",
        ),
    ],
)


def _check_wav(result: Result) -> None:
    assert result.data[:4] == b"RIFF"
    assert result.data[44:] == bytes(range(200))


SPEECH_WAV = case(
    "speech",
    f"/v1/text-to-speech/{VOICE}/stream",
    _check_wav,
    variant="WAV",
    model="eleven_multilingual_v2",
    content="Hello.",
    keywords={"audio": {"voice": VOICE}, "output_media_types": ["audio/wav"]},
    reply=pieces(bytes(range(200)), "audio/pcm"),
)


def _line(data: bytes, characters: str, start: float) -> dict[str, Any]:
    starts = [round(start + 0.1 * n, 1) for n in range(len(characters))]
    alignment = {
        "characters": list(characters),
        "character_start_times_seconds": starts,
        "character_end_times_seconds": [round(begin + 0.1, 1) for begin in starts],
    }
    return {"audio_base64": base64.b64encode(data).decode(), "alignment": alignment, "normalized_alignment": None}


def _check_timed(result: Result) -> None:
    assert result.data == MP3
    assert result.transcript is not None
    found = [
        (word.text.strip(), word.start_offset.ToMilliseconds()) for s in result.transcript.segments for word in s.words
    ]
    assert found == [("Hello", 0), ("there.", 600)]


TIMED = case(
    "speech with timestamps",
    f"/v1/text-to-speech/{VOICE}/stream/with-timestamps",
    _check_timed,
    model="eleven_multilingual_v2",
    content="Hello there.",
    keywords={"audio": {"voice": VOICE, "times": "word"}},
    reply=ndjson(
        _line(MP3[:100], "Hello th", 0.0),
        _line(MP3[100:], "ere.", 0.8),
        {"audio_base64": "", "alignment": None, "normalized_alignment": None},
    ),
)


# -- voices -----------------------------------------------------------------------------------------------------------


def voice(voice_id: str, category: str, **more: Any) -> dict[str, Any]:
    return {"voice_id": voice_id, "name": voice_id.title(), "category": category, "labels": {"accent": "irish"}, **more}


async def _voices(served: Served, _: Case) -> Any:
    return [plain(found) for found in await served.client.voices()]


def _check_voices(found: Any) -> None:
    assert [(v["name"].rpartition("/")[2], v["labels"]["category"]) for v in found] == [
        ("anna", "cloned"),
        ("paula", "professional"),
        ("rachel", "premade"),
    ]
    assert found[0]["languages"] == ["de-DE"]


VOICES = case(
    "voices",
    "/v2/voices",
    _check_voices,
    method="GET",
    act=_voices,
    streams=False,
    reply=json_reply(
        {
            "voices": [
                voice("rachel", "premade", preview_url="https://example.com/rachel.mp3"),
                voice("paula", "professional", description=None),
                voice("anna", "cloned", verified_languages=[{"language": "de", "model_id": "m", "locale": "de-DE"}]),
            ],
            "has_more": False,
            "total_count": 3,
            "next_page_token": None,
        }
    ),
)

CLONING = case(
    "voice cloning",
    "/v1/voices/add",
    lambda result: _check_clone(result),
    model="eleven_multilingual_v2",
    content="Hello.",
    keywords={"inputs": {"voice": Media(WAV, "audio/wav")}},
    streams=False,
    metered=False,
    reply=json_reply({"voice_id": "clone-1", "requires_verification": False}),
    routes={
        **MODELS,
        "POST /v1/text-to-speech/clone-1/stream": pieces(MP3, "audio/mpeg", request_id="req-made-up-1"),
        "DELETE /v1/voices/clone-1": json_reply({"status": "ok"}),
    },
)


def _check_clone(result: Result) -> None:
    assert result.data == MP3


# -- recognition, sounds, voice changer -------------------------------------------------------------------------------


def word(text: str, start: float, end: float, speaker: str = "speaker_0", kind: str = "word") -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "type": kind, "speaker_id": speaker, "logprob": -0.1}


def _check_recognised(result: Result) -> None:
    assert result.transcript is not None
    found = [(s.speaker, s.text, s.sound, len(s.words)) for s in result.transcript.segments]
    assert found == [
        ("speaker_0", "Hello there. ", False, 2),
        ("speaker_1", "(laughter)", True, 0),
        ("speaker_1", "Hi.", False, 1),
    ]
    assert result.transcript.language == "en"
    assert dict(result.usage.units) == {"input-audio-millisecond": 2500}
    assert result.usage.nano_cost > 0


RECOGNITION = case(
    "speech-to-text",
    "/v1/speech-to-text",
    _check_recognised,
    model="scribe_v2",
    content=Media(WAV, "audio/wav"),
    keywords={
        "transcript": {
            "language": "en-GB",
            "speakers": True,
            "speaker_count": 2,
            "times": "word",
            "vocabulary": ["Ana"],
        }
    },
    streams=False,
    not_found=Reason.MODEL_NOT_FOUND,
    errors=lambda status: (
        {"detail": {"status": "model_not_found", "message": "no"}} if status == 404 else refusal(status)
    ),
    reply=json_reply(
        {
            "language_code": "en",
            "language_probability": 0.98,
            "text": "Hello there. (laughter)Hi.",
            "words": [
                word("Hello", 0.0, 0.5),
                word(" ", 0.5, 0.6, kind="spacing"),
                word("there.", 0.6, 1.1),
                word(" ", 1.1, 1.2, kind="spacing"),
                word("(laughter)", 1.2, 1.9, "speaker_1", "audio_event"),
                word("Hi.", 2.0, 2.4, "speaker_1"),
            ],
            "transcription_id": "t-1",
            "audio_duration_secs": 2.5,
        }
    ),
)


def _check_sound(result: Result) -> None:
    assert result.data == MP3


SOUND = case(
    "sound effects",
    "/v1/sound-generation",
    _check_sound,
    model="eleven_text_to_sound_v2",
    content="rain on a tin roof",
    keywords={"audio": {"duration": 2.5}, "extra": {"loop": True, "prompt_influence": 0.4}},
    reply=pieces(MP3, "audio/mpeg"),
)
CHANGED = case(
    "voice changer",
    f"/v1/speech-to-speech/{VOICE}/stream",
    _check_sound,
    model="eleven_multilingual_sts_v2",
    content=Media(WAV, "audio/wav"),
    keywords={"seed": 7, "audio": {"voice": VOICE}, "extra": {"style": 0.3, "remove_background_noise": True}},
    reply=pieces(MP3, "audio/mpeg"),
    metered=False,
)

CASES = [SPEECH, SPEECH_WAV, TIMED, VOICES, CLONING, RECOGNITION, SOUND, CHANGED]
NOT_APPLICABLE: dict[str, str] = {}
