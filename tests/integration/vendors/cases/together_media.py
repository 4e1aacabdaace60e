"""Together: images, video, speech, recognition."""

from __future__ import annotations

import base64
from typing import Any

from mediaconduit import Media, Result
from mediaconduit.errors import Reason
from mediaconduit.outputs import plain
from mediaconduit.v1.media_pb2 import Asset
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import binary, json_reply, sse

from tests.integration.vendors.asking import REQUEST_ID
from tests.integration.vendors.cases.together_wire import (
    ERROR_EVENT,
    JPEG,
    LISTS,
    MP4,
    REFUSALS,
    VOICES,
    WAV,
    case,
    wrong,
)
from tests.integration.vendors.matrix import Case

# -- images, video ----------------------------------------------------------------------------------------------------


def _check_image(result: Result) -> None:
    assert [output.data for output in result.outputs] == [JPEG, JPEG[:20]]
    assert result.outputs[0].media_type == "image/jpeg"
    assert dict(result.usage.units) == {"image": 2}


IMAGES = case(
    "images",
    "/v1/images/generations",
    _check_image,
    model="acme/draw",
    content="a fox",
    keywords={
        "seed": 1,
        "candidates": 2,
        "image": {"width": 1024, "height": 768, "steps": 4, "guidance_scale": 3.5, "negative_prompt": "snow"},
        "extra": {"disable_safety_checker": True, "image_loras": [{"path": "https://example.com/a", "scale": 1}]},
    },
    refusals=(*REFUSALS, wrong("steps", "options.image.steps"), wrong("prompt", "turns")),
    streams=False,
    reply=json_reply(
        {
            "id": "i1",
            "model": "acme/draw",
            "object": "list",
            "data": [
                {"index": 1, "type": "b64_json", "b64_json": base64.b64encode(JPEG[:20]).decode()},
                {"index": 0, "type": "b64_json", "b64_json": base64.b64encode(JPEG).decode()},
            ],
        }
    ),
)


def _check_reference(result: Result) -> None:
    assert result.outputs[0].part.asset.uri == "https://example.com/made.png"
    assert result.outputs[0].part.asset.media_type == "image/png"


IMAGES_FROM_IMAGES = case(
    "images",
    "/v1/images/generations",
    _check_reference,
    variant="from images",
    model="acme/draw",
    content=["make it red", Media(JPEG, "image/jpeg")],
    keywords={
        "inputs": {"reference": Media(JPEG, "image/jpeg")},
        "output_media_types": ["image/png"],
        "outputs_by_reference": True,
    },
    streams=False,
    reply=json_reply({"data": [{"index": 0, "type": "url", "url": "https://example.com/made.png"}]}),
)


def _check_video(result: Result) -> None:
    assert result.data == MP4
    assert (result.outputs[0].media_type, result.outputs[0].info.width) == ("video/mp4", 1280)
    assert dict(result.usage.units) == {"video-millisecond": 5000}
    assert result.usage.nano_cost == 270_000_000
    assert result.provenance.vendor_response_id == "v-1"


def _video(status: str, **more: Any) -> dict[str, Any]:
    about = {"id": "v-1", "object": "video", "model": "acme/film", "status": status, "size": "1280x720"}
    return {**about, "seconds": "5", "created_at": 1, "error": None, **more}


def _made(request: Any) -> Any:
    outputs = {"cost": 0.27, "video_url": f"http://{request.header('host')}/made.mp4"}
    return json_reply(_video("completed", outputs=outputs)).with_headers(x_request_id=REQUEST_ID)


_ASKED: dict[str, Any] = {
    "model": "acme/film",
    "settings": {"poll_interval": 0.01},
    "beyond": {"GET /made.mp4": "VideoJob.outputs.video_url is anywhere (together/openapi.yaml)"},
}
VIDEO_ROUTES = {**LISTS, "GET /v2/videos/v-1": _made, "GET /made.mp4": binary(MP4, "video/mp4")}
VIDEO = case(
    "video",
    "/v2/videos",
    _check_video,
    content=["it runs", Media(JPEG, "image/jpeg")],
    keywords={
        "seed": 1,
        "inputs": {"last-frame": Media(JPEG, "image/jpeg"), "reference": Media(JPEG, "image/jpeg")},
        "video": {
            "duration": 5,
            "frame_rate": 24,
            "sound": True,
            "frame": {"width": 1280, "height": 720, "steps": 20, "guidance_scale": 7, "negative_prompt": "snow"},
        },
        "output_media_types": ["video/mp4"],
        "extra": {"output_quality": 20},
    },
    refusals=(*REFUSALS, wrong("seconds", "options.video.duration"), wrong("media", "turns")),
    streams=False,
    reply=json_reply(_video("in_progress")),
    routes=VIDEO_ROUTES,
    **_ASKED,
)
VIDEO_EDIT = case(
    "video",
    "/v2/videos",
    _check_video,
    variant="from a video",
    content=["make it red", Media(MP4, "video/mp4")],
    keywords={"capability": "video-to-video", "video": {"frame": {"aspect_ratio": "16:9", "resolution": "720p"}}},
    streams=False,
    reply=json_reply(_video("in_progress")),
    routes=VIDEO_ROUTES,
    **_ASKED,
)
VIDEO_FETCHED = case(
    "video",
    "/made.mp4",
    _check_video,
    method="GET",
    variant="fetched",
    content="a fox",
    not_applicable={"request": "VideoJob.outputs.video_url is anywhere (together/openapi.yaml)"},
    not_found=Reason.MODEL_NOT_FOUND,
    reply=binary(MP4, "video/mp4", piece=50),
    routes={**LISTS, "POST /v2/videos": json_reply(_video("in_progress")), "GET /v2/videos/v-1": _made},
    **{name: value for name, value in _ASKED.items() if name != "beyond"},
)


# -- speech, voices, recognition --------------------------------------------------------------------------------------


def _check_speech(result: Result) -> None:
    assert result.data == bytes(range(200))
    assert result.outputs[0].media_type == "audio/mpeg"
    assert dict(result.usage.units) == {"character": 6}


SPEECH = case(
    "speech",
    "/v1/audio/speech",
    _check_speech,
    model="hexgrad/Kokoro-82M",
    content="Hello.",
    keywords={"audio": {"language": "en-GB"}, "extra": {"bit_rate": 64000}},
    refusals=(*REFUSALS, wrong("voice", "options.audio.voice")),
    reply=binary(bytes(range(200)), "audio/mpeg", piece=40),
)


def _check_streamed(result: Result) -> None:
    assert result.data == bytes([2, 1, 4, 3])  # big-endian, as audio/L16 is
    assert result.outputs[0].media_type == "audio/L16; rate=8000; channels=1"


def _spoken(*data: int) -> dict[str, Any]:
    return {"object": "audio.tts.chunk", "model": "sonic", "b64": base64.b64encode(bytes(data)).decode()}


SPEECH_STREAMED = case(
    "speech",
    "/v1/audio/speech",
    _check_streamed,
    variant="streamed",
    model="cartesia/sonic-2",
    content="Hello.",
    keywords={
        "audio": {"voice": "providers/together/voices/laidback woman"},
        "output_media_types": ["audio/L16; rate=8000; channels=1"],
    },
    reply=sse(_spoken(1, 2, 3), _spoken(4), "[DONE]"),
    stream_error=ERROR_EVENT,
)


async def _voices(served: Served, _: Case) -> Any:
    return [plain(found) for found in await served.client.voices()]


def _check_voices(found: Any) -> None:
    kokoro, sonic = (f"providers/together/models/{name}" for name in ("hexgrad/Kokoro-82M", "cartesia/sonic-2"))
    assert {voice["name"].rpartition("/")[2]: voice["models"] for voice in found} == {
        "af_alloy": [kokoro],
        "laidback woman": [sonic],
        "shared": [kokoro, sonic],
    }


LIST_VOICES = case(
    "voices",
    "/v1/voices",
    _check_voices,
    method="GET",
    act=_voices,
    streams=False,
    reply=VOICES,
)


def _check_transcription(result: Result) -> None:
    assert result.text == "Good morning. Coffee?"
    assert result.transcript is not None
    found = [(s.speaker, s.text, [word.text for word in s.words]) for s in result.transcript.segments]
    assert found == [("SPEAKER_00", "Good morning.", ["Good", "morning."]), ("SPEAKER_01", " Coffee?", ["Coffee?"])]
    assert result.transcript.language == "en"
    assert dict(result.usage.units) == {"input-audio-millisecond": 3000}


def _word(text: str, start: float, end: float, speaker: str) -> dict[str, Any]:
    return {"word": text, "start": start, "end": end, "speaker_id": speaker}


_WORDS = [
    _word("Good", 0, 0.5, "SPEAKER_00"),
    _word("morning.", 0.5, 1.4, "SPEAKER_00"),
    _word("Coffee?", 1.5, 2, "SPEAKER_01"),
]
TRANSCRIPTION = case(
    "transcription",
    "/v1/audio/transcriptions",
    _check_transcription,
    model="openai/whisper-large-v3",
    content=Media(WAV, "audio/wav"),
    keywords={
        "transcript": {"times": "word", "speakers": True, "speaker_count": 2, "vocabulary": ["coffee"]},
        "text": {"temperature": 0.5},
    },
    refusals=(*REFUSALS, wrong("diarize", "options.transcript.speakers"), wrong("file", "turns")),
    streams=False,
    reply=json_reply(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 3.0,
            "text": "Good morning. Coffee?",
            "segments": [{"id": 0, "start": 0, "end": 3, "text": "Good morning. Coffee?"}],
            "words": _WORDS,
            "speaker_segments": [
                {
                    **{"id": 1, "speaker_id": "SPEAKER_00", "start": 0, "end": 1.4},
                    **{"text": "Good morning.", "words": _WORDS[:2]},
                },
                {
                    **{"id": 2, "speaker_id": "SPEAKER_01", "start": 1.5, "end": 2},
                    **{"text": " Coffee?", "words": _WORDS[2:]},
                },
            ],
        }
    ),
)


def _check_linked(result: Result) -> None:
    assert result.text == "Guten Morgen."


TRANSCRIPTION_LINKED = case(
    "transcription",
    "/v1/audio/transcriptions",
    _check_linked,
    variant="by reference",
    model="openai/whisper-large-v3",
    content=Asset(uri="https://example.com/a.mp3", media_type="audio/mpeg"),
    keywords={"transcript": {"language": "de-CH"}},
    streams=False,
    reply=json_reply({"text": "Guten Morgen."}),
)


def _check_translation(result: Result) -> None:
    assert result.text == "Bonjour."
    assert dict(result.usage.units) == {"input-audio-millisecond": 1500}


TRANSLATION = case(
    "translation",
    "/v1/audio/translations",
    _check_translation,
    model="openai/whisper-large-v3",
    content=Media(WAV, "audio/wav"),
    keywords={"transcript": {"translate_to": "fr-FR"}},
    refusals=(*REFUSALS, wrong("file", "turns")),
    streams=False,
    reply=json_reply(
        {
            "task": "translate",
            "language": "french",
            "duration": 1.5,
            "text": "Bonjour.",
            "segments": [{"id": 0, "start": 0, "end": 1.5, "text": "Bonjour."}],
        }
    ),
)

CASES = [
    IMAGES,
    IMAGES_FROM_IMAGES,
    VIDEO,
    VIDEO_EDIT,
    VIDEO_FETCHED,
    SPEECH,
    SPEECH_STREAMED,
    LIST_VOICES,
    TRANSCRIPTION,
    TRANSCRIPTION_LINKED,
    TRANSLATION,
]
