"""Every model with real media, over the wire."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from ffmpeg_provider.formats import AUDIO_OUTPUTS, IMAGE_OUTPUTS, VIDEO_OUTPUTS
from mediaconduit import Media
from mediaconduit.events import DataDelta, Progress
from mediaconduit_provider.testing import Served

Maker = Callable[[str], Path]
Look = Callable[[bytes], str]
Pixels = Callable[..., bytes]


def seconds(result: Any) -> float:
    return float(result.outputs[0].info.duration.ToTimedelta().total_seconds())


def mean(pixels: bytes) -> tuple[float, float, float]:
    return tuple(sum(pixels[channel::3]) / (len(pixels) / 3) for channel in range(3))  # type: ignore[return-value]


async def arriving(path: Path, size: int = 16384) -> AsyncIterator[bytes]:
    data = path.read_bytes()
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("media_type", AUDIO_OUTPUTS)
async def test_sound_in_every_format(served: Served, media: Maker, inspect: Look, media_type: str) -> None:
    result = await served.model("convert").transform(media("tone.wav"), output_media_types=[media_type])
    assert result.outputs[0].media_type == media_type
    assert seconds(result) == pytest.approx(2.0, abs=0.1)
    codec = {"wav": "pcm_s16le", "mpeg": "mp3", "ogg": "opus", "webm": "opus", "flac": "flac"}
    assert f"Audio: {codec.get(media_type[6:], 'aac')}" in inspect(result.data)


@pytest.mark.parametrize("name", ["tone.wav", "tone.mp3", "tone.ogg", "tone.flac", "tone.m4a"])
@pytest.mark.parametrize("live", [False, True])
async def test_sound_from_every_format_whole_or_arriving(served: Served, media: Maker, name: str, live: bool) -> None:
    types = {"wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac", "m4a": "audio/mp4"}
    path = media(name)
    content = Media(arriving(path) if live else path, types[name[5:]])
    result = await served.model("convert").transform(content)
    assert seconds(result) == pytest.approx(2.0, abs=0.1)


async def test_sound_comes_out_before_all_went_in(served: Served, media: Maker) -> None:
    wav = media("tone.wav").read_bytes()
    heard = b""

    async def microphone() -> AsyncIterator[bytes]:
        yield wav[:-1000]
        while not heard:
            await more.get()
        yield wav[-1000:]

    more: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.timeout(30), served.model("convert").stream(Media(microphone(), "audio/wav")) as stream:
        async for event in stream:
            heard += event.data
            if event.data:
                more.put_nowait(event.data)
    assert len(heard) > 170_000


async def test_a_saved_wav_tells_its_true_length(served: Served, media: Maker, tmp_path: Path) -> None:
    await served.model("convert").transform(media("tone.mp3"), to=tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(2.0, abs=0.1)


async def test_a_piece_of_sound_mono_at_another_rate(served: Served, media: Maker) -> None:
    result = await served.model("convert").transform(
        media("tone.wav"),
        extra={"start": 0.5, "end": 1.5, "sample_rate": 16000, "channels": 1, "fade_out": 0.5, "filter": "volume=0.5"},
    )
    info = result.outputs[0].info
    assert (info.sample_rate, info.channels) == (16000, 1)
    assert seconds(result) == pytest.approx(1.0, abs=0.01)
    assert result.usage.units["audio-millisecond"] == 1000
    samples = memoryview(result.data[-32000:]).cast("h")
    loud, soft = max(samples[:4000]), max(samples[-200:])
    assert loud > 10 * max(soft, 1)


@pytest.mark.parametrize("options", [{"audio": {"speed": 2.0}}, {"audio": {"duration": 1.0}}])
async def test_shared_options_change_the_length(served: Served, media: Maker, options: dict[str, Any]) -> None:
    assert seconds(await served.model("convert").transform(media("tone.wav"), **options)) == pytest.approx(1, abs=0.05)


async def test_the_sound_of_a_video(served: Served, media: Maker, inspect: Look) -> None:
    result = await served.model("extract").transform(media("clip.mp4"), output_media_types=["audio/mpeg"])
    said = inspect(result.data)
    assert "Audio: mp3" in said
    assert "Video:" not in said


@pytest.mark.parametrize("media_type", IMAGE_OUTPUTS)
async def test_a_frame_in_every_format(served: Served, media: Maker, pixels: Pixels, media_type: str) -> None:
    clip = media("clip.mp4")
    result = await served.model("frame").transform(
        clip, extra={"at": 1.0}, image={"width": 160}, output_media_types=[media_type]
    )
    info = result.outputs[0].info
    assert (info.width, info.height) == (160, 120)
    assert result.usage.units["image"] == 1
    expected = mean(pixels(clip.read_bytes(), at=1.0))
    assert mean(pixels(result.data)) == pytest.approx(expected, abs=6)


@pytest.mark.parametrize("media_type", VIDEO_OUTPUTS)
async def test_video_in_every_format(served: Served, media: Maker, inspect: Look, media_type: str) -> None:
    result = await served.model("edit").transform(
        media("clip.mp4"), video={"frame": {"width": 160}}, output_media_types=[media_type]
    )
    said = inspect(result.data)
    codec = {"video/webm": "vp9", "image/gif": "gif"}.get(media_type, "h264")
    assert f"Video: {codec}" in said
    assert "160x120" in said
    assert ("Audio: " in said) == (media_type != "image/gif")
    assert seconds(result) == pytest.approx(2.0, abs=0.1)


async def test_a_cut_faster_brighter_video(served: Served, media: Maker, pixels: Pixels) -> None:
    result = await served.model("edit").transform(
        media("clip.mp4"),
        video={"frame": {"width": 100, "height": 100}, "frame_rate": 10, "sound": False},
        extra={"start": 0.5, "end": 1.5, "speed": 2, "filter": "negate", "fade_out": 0.2, "fit": "cover"},
    )
    info = result.outputs[0].info
    assert (info.width, info.height, info.frame_rate, info.channels) == (100, 100, 10, 0)
    assert seconds(result) == pytest.approx(0.5, abs=0.11)
    assert max(mean(pixels(result.data, at=0.1))) > 1.7 * max(mean(pixels(result.data, at=0.4)))


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ({}, (254, 0, 0)),
        ({"opacity": 0.5}, (127, 127, 127)),
        ({"blend": "multiply"}, (0, 0, 0)),
        ({"blend": "difference"}, (254, 255, 255)),
        ({"blend": "difference", "opacity": 0.5}, (127, 255, 255)),
        ({"start": 1.5}, (0, 255, 255)),
        ({"end": 2.0, "fade_in": 2.0}, (127, 127, 127)),
    ],
)
async def test_overlays_cover_mix_and_fade(
    served: Served, media: Maker, pixels: Pixels, overlay: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    # A red card over a cyan video.
    result = await served.model("edit").transform(
        media("clip.mp4"),
        inputs={"overlay": media("card.png")},
        extra={
            "filter": "geq=r=0:g=255:b=255,format=yuv444p",
            "overlay": {"position": "top-left", "width": 1.0, **overlay},
        },
    )
    picture = pixels(result.data, at=1.0)
    top = picture[: len(picture) // 2]
    assert mean(top) == pytest.approx(expected, abs=14)


async def test_an_overlay_lies_where_it_is_put(served: Served, media: Maker, pixels: Pixels) -> None:
    result = await served.model("edit").transform(
        media("clip.mp4"),
        inputs={"overlay": media("card.png")},
        extra={"filter": "geq=0:128:128", "overlay": {"position": "bottom-right", "width": 0.5}},
    )
    picture = pixels(result.data)
    corners = [picture[(y * 32 + x) * 3] for x, y in ((2, 2), (29, 2), (2, 21), (29, 21))]
    assert [red > 128 for red in corners] == [False, False, False, True]


async def test_one_picture_becomes_a_video(served: Served, media: Maker, pixels: Pixels) -> None:
    result = await served.model("animate").transform(media("card.png"), video={"duration": 1.0})
    assert seconds(result) == pytest.approx(1.0, abs=0.05)
    assert mean(pixels(result.data)) == pytest.approx((254, 0, 0), abs=5)


async def test_pictures_become_a_slide_show_with_sound(served: Served, media: Maker, pixels: Pixels) -> None:
    result = await served.model("animate").transform(
        [media("card.png"), media("card.jpg")],
        inputs={"audio": media("tone.wav")},
        extra={"crossfade": 0.4, "transition": "fade", "fit": "cover"},
    )
    info = result.outputs[0].info
    assert (info.width, info.height, info.channels) == (64, 48, 1)
    assert seconds(result) == pytest.approx(2.0, abs=0.05)
    first, middle, last = (mean(pixels(result.data, at=at)) for at in (0.1, 1.0, 1.8))
    assert first == pytest.approx((254, 0, 0), abs=5)
    assert last == pytest.approx((0, 0, 254), abs=5)
    assert 40 < middle[0] < 215
    assert 40 < middle[2] < 215


@pytest.mark.parametrize("motion", ["zoom", "pan"])
async def test_the_camera_moves(served: Served, media: Maker, pixels: Pixels, motion: str) -> None:
    frame = await served.model("frame").transform(media("clip.mp4"))
    result = await served.model("animate").transform(
        Media(frame.data, "image/png"), video={"duration": 1.0, "camera_motion": motion}
    )
    assert seconds(result) == pytest.approx(1.0, abs=0.05)
    assert pixels(result.data, at=0.0) != pixels(result.data, at=0.9)


@pytest.mark.parametrize("style", ["wave", "line", "points", "bars", "spectrum"])
async def test_sound_is_drawn(served: Served, media: Maker, pixels: Pixels, style: str) -> None:
    result = await served.model("waveform").transform(
        media("tone.wav"), video={"frame": {"width": 320, "height": 180}}, extra={"style": style, "end": 1.0}
    )
    info = result.outputs[0].info
    assert (info.width, info.height, info.channels) == (320, 180, 1)
    assert seconds(result) == pytest.approx(1.0, abs=0.05)
    assert max(pixels(result.data, at=0.5, size="320x180")) > 100


async def test_sound_and_a_picture_become_a_video(served: Served, media: Maker, pixels: Pixels) -> None:
    result = await served.model("waveform").transform(
        Media(arriving(media("tone.wav")), "audio/wav"), inputs={"image": media("card.png")}
    )
    assert seconds(result) == pytest.approx(2.0, abs=0.1)
    assert mean(pixels(result.data, at=1.0)) == pytest.approx((254, 0, 0), abs=5)


async def test_progress_rises_to_one(served: Served, media: Maker) -> None:
    fractions, sizes = [], []
    async for event in served.model("edit").stream(media("clip.mp4")):
        if isinstance(event, Progress):
            fractions.append(event.fraction)
        elif isinstance(event, DataDelta):
            sizes.append(len(event.data))
    assert None not in fractions
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0, abs=0.02)
    assert len(sizes) > 1


async def test_progress_of_an_arriving_wav_follows_its_header(served: Served, media: Maker) -> None:
    seekable = io.BytesIO()
    with wave.open(seekable, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(32000))

    async def chunks() -> AsyncIterator[bytes]:
        yield seekable.getvalue()

    events = [e async for e in served.model("convert").stream(Media(chunks(), "audio/wav"))]
    assert [e.fraction for e in events if isinstance(e, Progress)][-1] == pytest.approx(1.0)


async def test_naming_the_capability_alone_is_enough(served: Served, media: Maker) -> None:
    result = await served.client.model("").transform(media("clip.mp4"), capability="video-to-image")
    assert result.model.endswith("/models/frame")
