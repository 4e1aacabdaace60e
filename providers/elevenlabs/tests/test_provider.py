import asyncio
import subprocess
from pathlib import Path

import pytest
from elevenlabs_provider import ElevenLabs
from mediaconduit import Media
from mediaconduit.errors import PreconditionError, Reason
from mediaconduit.v1.media_pb2 import Part
from mediaconduit.v1.voices_pb2 import CreateVoiceRequest, VoiceOrigin
from mediaconduit_provider.testing import Served, serve
from mediaconduit_vendors.testing import Upstream, binary, json_reply

MODEL = {"model_id": "eleven_flash_v2_5", "name": "Flash", "can_do_text_to_speech": True}
VOICE = {"voice_id": "v1", "name": "Rachel", "category": "premade", "labels": {}}
ACCOUNT = {
    "GET /v1/models": json_reply([MODEL]),
    "GET /v2/voices": json_reply({"voices": [VOICE], "has_more": False}),
}
SPEAK = "POST /v1/text-to-speech/v1/stream"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "made-up")


def served(upstream: Upstream):
    return serve(ElevenLabs(), settings={"base_url": upstream.url})


async def test_models_of_all_kinds_are_listed() -> None:
    async with Upstream(ACCOUNT) as upstream, served(upstream) as it:
        found = {model.display_name: list(model.capabilities) for model in await it.client.models()}
    assert found == {
        "Flash": ["text-to-audio"],
        "scribe_v2": ["audio-to-text"],
        "scribe_v1": ["audio-to-text"],
        "eleven_text_to_sound_v2": ["text-to-audio"],
    }


async def test_without_a_voice_the_accounts_first_one_speaks() -> None:
    async with Upstream({**ACCOUNT, SPEAK: binary(b"ID3", "audio/mpeg")}) as upstream, served(upstream) as it:
        result = await it.model("eleven_flash_v2_5").transform("Hello.")
        asked = upstream.requests[-1]
    assert result.data == b"ID3"
    assert asked.header("xi-api-key") == "made-up"
    assert asked.query == [("output_format", "mp3_44100_128")]


async def test_a_voice_that_was_cloned_for_a_call_is_removed_after_it() -> None:
    routes = {
        **ACCOUNT,
        "POST /v1/voices/add": json_reply({"voice_id": "v1", "requires_verification": False}),
        SPEAK: binary(b"ID3", "audio/mpeg"),
        "DELETE /v1/voices/v1": json_reply({"status": "ok"}),
    }
    async with Upstream(routes) as upstream, served(upstream) as it:
        await it.model("eleven_flash_v2_5").transform("Hello.", inputs={"voice": Media(b"RIFF", "audio/wav")})
        asked = [f"{request.method} {request.path}" for request in upstream.requests]
    assert asked[-3:] == ["POST /v1/voices/add", SPEAK, "DELETE /v1/voices/v1"]


async def test_a_clone_that_must_be_verified_first_is_not_left_behind() -> None:
    routes = {
        **ACCOUNT,
        "POST /v1/voices/add": json_reply({"voice_id": "v1", "requires_verification": True}),
        "DELETE /v1/voices/v1": json_reply({"status": "ok"}),
    }
    async with Upstream(routes) as upstream, served(upstream) as it:
        with pytest.raises(Exception, match="verified"):
            await it.model("eleven_flash_v2_5").transform("Hello.", inputs={"voice": Media(b"RIFF", "audio/wav")})
        assert upstream.requests[-1].method == "DELETE"


async def create(it: Served, request: CreateVoiceRequest):
    return (await it.client._wire.voices.CreateVoice(request)).voice


async def test_voices_are_made_of_recordings() -> None:
    routes = {**ACCOUNT, "POST /v1/voices/add": json_reply({"voice_id": "v2", "requires_verification": False})}
    sample = Part(name="voice", data=b"RIFF", media_type="audio/wav")
    async with Upstream(routes) as upstream, served(upstream) as it:
        made = await create(it, CreateVoiceRequest(display_name="Anna", samples=[sample]))
        form = upstream.requests[-1]
    assert (made.name, made.origin) == ("providers/test/voices/v2", VoiceOrigin.VOICE_ORIGIN_CLONED)
    assert form.field("name").text == "Anna"
    assert (form.field("files").data, form.field("files").media_type) == (b"RIFF", "audio/wav")


def ffmpeg(*arguments: str) -> bytes:
    program = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    return subprocess.run([program, "-loglevel", "error", *arguments], check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    ("media_type", "rate", "told"),
    [
        ("audio/wav", "24000", []),
        ("audio/L16; rate=16000; channels=1", "16000", ["-f", "s16be", "-ar", "16000", "-ac", "1"]),
    ],
)
async def test_audio_is_what_its_media_type_says(media_type: str, rate: str, told: list[str], tmp_path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.5", "-ar", rate, "-ac", "1", "-f", "s16le", "-")
    raw = await asyncio.to_thread(ffmpeg, *tone)
    async with Upstream({**ACCOUNT, SPEAK: binary(raw, "audio/pcm").split(333)}) as upstream, served(upstream) as it:
        path = tmp_path / "out"
        await it.model("eleven_flash_v2_5").transform("Hello.", output_media_types=[media_type], to=path)
    assert await asyncio.to_thread(ffmpeg, *told, "-i", str(path), "-f", "s16le", "-") == raw


async def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    async with serve(ElevenLabs(), settings={}) as it:
        with pytest.raises(PreconditionError) as failed:
            await it.model("scribe_v2").transform(Media(b"RIFF", "audio/wav"))
    assert failed.value.reason is Reason.CREDENTIALS_MISSING
    assert failed.value.metadata["variable"] == "ELEVENLABS_API_KEY"
