"""Facts about media, read from what ffmpeg says about it. There is no ffprobe in the wheel of imageio-ffmpeg.

ffmpeg is run with ``-loglevel level+info``, so that every line of the log says how grave it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mediaconduit_provider import MediaInfo

# Lines of metadata are indented further and never match, whatever a file's title says.
_INPUT: Final = re.compile(r"^\[info\] Input #(\d+), (\S+), from ")
_OUTPUT: Final = re.compile(r"^\[info\] Output #\d+, (\S+), to ")
_DURATION: Final = re.compile(r"^\[info\]   Duration: (?:(\d+):(\d\d):(\d\d(?:\.\d+)?)|N/A)")
_STREAM: Final = re.compile(r"^\[info\]   Stream #\d+:\d+(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (Video|Audio): (.*)$")
_SIZE: Final = re.compile(r"(?:^|, )(\d{1,6})x(\d{1,6})(?=[ ,\[]|$)")
_RATE: Final = re.compile(r", ([\d.]+)(k?) fps")
_SAMPLES: Final = re.compile(r"(?:^|, )(\d+) Hz(?:, ([^,]+))?")
_LAYOUTS: Final = {"mono": 1, "stereo": 2, "2.1": 3, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "6.1": 7, "7.1": 8}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file or stream holds, as far as known."""

    format: str = ""
    """ffmpeg's name of the container, the first of several."""
    duration: float | None = None
    """Seconds."""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    video: bool = False
    """It has moving or still pictures, other than a cover."""
    audio: bool = False

    def info(self, duration: float | None = None) -> MediaInfo:
        """As the contract says it."""
        info = MediaInfo(
            width=self.width,
            height=self.height,
            frame_rate=self.frame_rate,
            sample_rate=self.sample_rate,
            channels=self.channels,
        )
        length = self.duration if duration is None else duration
        if length is not None:
            info.duration.FromMicroseconds(round(length * 1_000_000))
        return info


def is_banner_end(line: str) -> bool:
    """Whether all inputs have been described."""
    return line.startswith("[info] Stream mapping:")


def is_unknown_input(lines: Iterable[str]) -> bool:
    """Whether ffmpeg did not recognise an input, or recognised one that is not allowed."""
    return any("Error opening input: " in line for line in lines)


def inputs(lines: Iterable[str]) -> list[Facts]:
    """Facts of every input described in a log, in order."""
    return [_facts(name, block) for name, block in _blocks(lines, _INPUT)]


def output(lines: Iterable[str]) -> Facts:
    """Facts of the output described in a log; empty ones when there is none."""
    for name, block in _blocks(lines, _OUTPUT):
        return _facts(name, block)
    return Facts()


def _blocks(lines: Iterable[str], start: re.Pattern[str]) -> list[tuple[str, list[str]]]:
    blocks: list[tuple[str, list[str]]] = []
    inside = False
    for line in lines:
        if match := start.match(line):
            blocks.append((match.group(match.re.groups).split(",")[0], []))
            inside = True
        elif _INPUT.match(line) or _OUTPUT.match(line) or is_banner_end(line):
            inside = False
        elif inside:
            blocks[-1][1].append(line)
    return blocks


def _facts(name: str, lines: Iterable[str]) -> Facts:
    duration: float | None = None
    video = audio = ""
    for line in lines:
        if match := _DURATION.match(line):
            if match.group(1):
                duration = int(match.group(1)) * 3600 + int(match.group(2)) * 60 + float(match.group(3))
        elif match := _STREAM.match(line):
            kind, text = match.groups()
            if kind == "Audio":
                audio = audio or text
            elif "(attached pic)" not in text:
                video = video or text
    # "yuv420p(tv, bt709), 640x360": what stands in brackets may hold commas.
    size = _SIZE.search(video)
    rate = _RATE.search(video)
    samples = _SAMPLES.search(audio)
    return Facts(
        format=name,
        duration=duration,
        width=int(size.group(1)) if size else 0,
        height=int(size.group(2)) if size else 0,
        frame_rate=float(rate.group(1)) * (1000 if rate.group(2) else 1) if rate else 0.0,
        sample_rate=int(samples.group(1)) if samples else 0,
        channels=_channels(samples.group(2) or "") if samples else 0,
        video=bool(video),
        audio=bool(audio),
    )


def _channels(layout: str) -> int:
    counted = re.match(r"(\d+) channels", layout)
    return int(counted.group(1)) if counted else _LAYOUTS.get(layout.partition("(")[0].strip(), 0)


def wav_duration(head: bytes) -> float | None:
    """Seconds of sound a WAV file holds, from its first bytes; ffmpeg does not say so of a pipe.

    None when the bytes are no WAV, or its header was written before its length was known.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    position, byte_rate = 12, 0
    while position + 8 <= len(head):
        kind, size = head[position : position + 4], struct.unpack_from("<I", head, position + 4)[0]
        if kind == b"fmt " and position + 20 <= len(head):
            byte_rate = struct.unpack_from("<I", head, position + 16)[0]
        if kind == b"data":
            known = byte_rate > 0 and 0 < size < 0xFFFFF000
            return size / byte_rate if known else None
        position += 8 + size + size % 2
    return None
