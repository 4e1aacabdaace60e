"""Facts read from ffmpeg's banner."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ffmpeg_provider import probe
from ffmpeg_provider.commands import probe_command
from ffmpeg_provider.probe import Facts


def banner_of(ffmpeg: str, path: Path) -> list[str]:
    done = subprocess.run(probe_command(ffmpeg, f"file:{path}"), capture_output=True, text=True, check=False)
    return done.stderr.splitlines()


VIDEO = {"width": 320, "height": 240, "frame_rate": 25.0, "video": True}
TONE = {"sample_rate": 44100, "channels": 1, "audio": True}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tone.wav", Facts("wav", 2.0, **TONE)),
        ("tone.mp3", Facts("mp3", 2.0, **TONE)),
        ("tone.flac", Facts("flac", 2.0, **TONE)),
        ("tone.m4a", Facts("mov", 2.0, **TONE)),
        ("clip.mp4", Facts("mov", 2.0, **VIDEO, **TONE)),
        ("silent.mp4", Facts("mov", 2.0, **VIDEO)),
        ("clip.gif", Facts("gif", 2.0, 64, 48, 10.0, video=True)),
        ("card.png", Facts("png_pipe", None, 64, 48, 25.0, video=True)),
    ],
)
def test_real_files_are_described(ffmpeg: str, media: Callable[[str], Path], name: str, expected: Facts) -> None:
    [facts] = probe.inputs(banner_of(ffmpeg, media(name)))
    duration = facts.duration and round(facts.duration, 1)
    assert Facts(**{**{f: getattr(facts, f) for f in facts.__slots__}, "duration": duration}) == expected


def test_what_ffmpeg_does_not_know_has_no_facts(ffmpeg: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hello world " * 100)
    banner = banner_of(ffmpeg, path)
    assert probe.inputs(banner) == []
    assert probe.is_unknown_input(banner)


@pytest.mark.parametrize(
    "playlist",
    ["ffconcat version 1.0\nfile '/etc/passwd'\n", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n"],
)
def test_playlists_that_name_other_files_are_not_opened(ffmpeg: str, tmp_path: Path, playlist: str) -> None:
    path = tmp_path / "x"
    path.write_text(playlist)
    assert probe.inputs(banner_of(ffmpeg, path)) == []


STREAM = "[info]   Stream #0:0[0x1](und): "


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 640x360 [SAR 1:1], 25 fps", (640, 360, 25.0)),
        ("Video: vp9, yuv420p, 1920x1080, SAR 1:1 DAR 16:9, 29.97 fps, 1k tbn", (1920, 1080, 29.97)),
        ("Video: rawvideo (RGB[24] / 0x18424752), rgb24, 8x8, 1k fps", (8, 8, 1000.0)),
        ("Video: mjpeg, yuvj444p, 64x48, 90k tbr (attached pic)", (0, 0, 0.0)),
    ],
)
def test_streams_of_pictures(line: str, expected: tuple[int, int, float]) -> None:
    [facts] = probe.inputs(["[info] Input #0, x,y, from 'a':", STREAM + line])
    assert (facts.width, facts.height, facts.frame_rate) == expected


@pytest.mark.parametrize(
    ("layout", "channels"),
    [("mono", 1), ("stereo", 2), ("5.1(side)", 6), ("7.1", 8), ("3 channels (FL+FR+LFE)", 3), ("quad(side)", 4)],
)
def test_layouts_are_counted(layout: str, channels: int) -> None:
    [facts] = probe.inputs(["[info] Input #0, wav, from 'a':", STREAM + f"Audio: pcm, 48000 Hz, {layout}, s16"])
    assert (facts.sample_rate, facts.channels) == (48000, channels)


def test_inputs_and_output_are_told_apart() -> None:
    log = [
        "[info] Input #0, wav, from 'a':",
        STREAM + "Audio: pcm, 8000 Hz, mono",
        "[info] Input #1, png_pipe, from 'b':",
        STREAM + "Video: png, rgb24, 10x20, 25 fps",
        "[info] Stream mapping:",
        "[info]   Stream #0:0 -> #0:0 (png (native) -> h264 (libx264))",
        "[info] Output #0, mp4, to 'c':",
        STREAM + "Video: h264, yuv420p, 30x40, 25 fps",
    ]
    assert [f.format for f in probe.inputs(log)] == ["wav", "png_pipe"]
    assert probe.inputs(log)[1].width == 10
    assert probe.output(log).width == 30


def wav_head(size: int, extra: bytes = b"") -> bytes:
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16)
    return b"RIFF" + struct.pack("<I", 0) + b"WAVE" + extra + form + b"data" + struct.pack("<I", size)


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        (wav_head(352800), 2.0),
        (wav_head(352800, b"LIST" + struct.pack("<I", 3) + b"abc\0"), 2.0),
        (wav_head(0xFFFFFFFF), None),
        (wav_head(0), None),
        (wav_head(352800)[:30], None),
        (b"ID3", None),
        (b"", None),
    ],
)
def test_the_header_of_a_wav_tells_its_length(head: bytes, seconds: float | None) -> None:
    assert probe.wav_duration(head) == seconds
