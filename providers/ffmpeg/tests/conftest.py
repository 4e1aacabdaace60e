"""Inputs that ffmpeg makes itself, once for all tests."""

import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from ffmpeg_provider import Ffmpeg, binary
from mediaconduit_provider.testing import Served, serve

TONE = ("-f", "lavfi", "-i", "sine=440:sample_rate=44100:duration={seconds}")
PICTURES = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration={seconds}")
RECIPES = {
    "tone.wav": (*TONE,),
    "tone.mp3": (*TONE, "-b:a", "64k"),
    "tone.ogg": (*TONE, "-c:a", "libopus"),
    "tone.flac": (*TONE,),
    "tone.m4a": (*TONE,),
    "clip.mp4": (*PICTURES, *TONE, "-pix_fmt", "yuv420p", "-metadata", "title=x\n  Duration: 00:00:99.00, a"),
    "clip.webm": (*PICTURES, *TONE, "-c:v", "libvpx", "-c:a", "libopus"),
    "clip.ts": (*PICTURES, *TONE, "-pix_fmt", "yuv420p"),
    "silent.mp4": (*PICTURES, "-pix_fmt", "yuv420p"),
    "card.png": ("-f", "lavfi", "-i", "color=red:size=64x48", "-frames:v", "1"),
    "card.jpg": ("-f", "lavfi", "-i", "color=blue:size=48x64", "-frames:v", "1"),
    "huge.png": ("-f", "lavfi", "-i", "color=black:size=9000x8000", "-frames:v", "1", "-pix_fmt", "monob"),
    "clip.gif": ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration={seconds}"),
}
"""What is made how; `{seconds}` is 2."""


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """A real ffmpeg."""
    return binary.find()


@pytest.fixture(scope="session")
def media(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the input of that name."""
    folder = tmp_path_factory.mktemp("media")

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            arguments = [a.format(seconds=2) if a.startswith(("sine", "testsrc")) else a for a in RECIPES[name]]
            subprocess.run([ffmpeg, "-v", "error", "-nostdin", *arguments, "-y", str(path)], check=True)
        return path

    return make


@pytest.fixture
def inspect(ffmpeg: str, tmp_path: Path) -> Callable[[bytes], str]:
    """What ffmpeg says about bytes."""

    def look(data: bytes) -> str:
        path = tmp_path / "inspected"
        path.write_bytes(data)
        done = subprocess.run([ffmpeg, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False)
        return done.stderr

    return look


@pytest.fixture
def pixels(ffmpeg: str, tmp_path: Path) -> Callable[..., bytes]:
    """RGB of one frame, scaled to `size`."""

    def decode(data: bytes, *, at: float = 0.0, size: str = "32x24") -> bytes:
        path = tmp_path / "decoded"
        path.write_bytes(data)
        command = [ffmpeg, "-v", "error", "-ss", str(at), "-i", str(path), "-frames:v", "1", "-s", size]
        done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
        return done.stdout

    return decode


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The provider, served for real."""
    async with serve(Ffmpeg()) as running:
        yield running
