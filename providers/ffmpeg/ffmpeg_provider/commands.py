"""Pieces of command lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediaconduit_provider import InvalidRequestError

from ffmpeg_provider.filters import check
from ffmpeg_provider.formats import CONTAINERS, INPUTS, Format, essence
from ffmpeg_provider.probe import Facts

Options = Mapping[str, Any]
"""The options of a call by path ("extra.start"), as validated; those absent are left out."""

STDIN: Final = "pipe:0"
STDOUT: Final = "pipe:1"
MAX_PIXELS: Final = 64_000_000
"""Of one frame of input: a small file may unfold into gigabytes."""

_GLOBAL: Final = ("-nostdin", "-hide_banner", "-nostats", "-y", "-loglevel", "level+info")
_GUARD: Final = (
    "-protocol_whitelist",
    "file,pipe,fd",
    "-format_whitelist",
    ",".join(sorted(CONTAINERS)),
    "-max_pixels",
    str(MAX_PIXELS),
)


@dataclass(frozen=True, slots=True)
class Media:
    """An input, ready for ffmpeg."""

    field: str
    """Where it stands in the request, for errors."""
    media_type: str
    location: str
    """`STDIN`, or "file:" and a path."""
    facts: Facts | None = None
    """None while it is still to come."""

    @property
    def still(self) -> bool:
        """It is one picture."""
        return essence(self.media_type).startswith("image/") and essence(self.media_type) != "image/gif"


@dataclass(frozen=True, slots=True)
class Source:
    """An input with the arguments before its ``-i``."""

    media: Media
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What ffmpeg shall do."""

    sources: tuple[Source, ...]
    arguments: tuple[str, ...]
    """Filters, maps and codecs, in front of the output."""
    format: Format
    length: float | None = None
    """Seconds of output expected; None = unknown or a picture."""
    speed: float = 1.0
    """Seconds of main input that become one of output: how to guess a length that is told later."""
    filter_field: str = ""
    """The option with the caller's own filter."""


def command(ffmpeg: str, plan: Plan, target: str, *, progress_fd: int, threads: int = 0) -> list[str]:
    """The whole command line: reads only what the plan names, writes only `target`, runs no shell."""
    inputs: list[str] = []
    for source in plan.sources:
        inputs += [*_GUARD, *_probing(source.media), *source.arguments, "-i", source.media.location]
    limits = ("-threads", str(threads)) if threads else ()
    return [
        ffmpeg,
        *_GLOBAL,
        "-progress",
        f"pipe:{progress_fd}",
        "-stats_period",
        "0.25",
        *inputs,
        *plan.arguments,
        *limits,
        "-sn",
        "-dn",
        *plan.format.muxer,
        target,
    ]


def _probing(media: Media) -> tuple[str, ...]:
    # ffmpeg reads up to 5 MB of a WAV to see whether its samples are DTS in disguise; nothing would come out before.
    piped_wav = media.location == STDIN and "wav" in INPUTS[essence(media.media_type)].demuxers
    return ("-probesize", "32768") if piped_wav else ()


def probe_command(ffmpeg: str, location: str) -> list[str]:
    """Makes ffmpeg describe an input and end."""
    return [ffmpeg, *_GLOBAL, *_GUARD, "-i", location]


@dataclass(frozen=True, slots=True)
class Trim:
    """Which piece of the main input is used."""

    start: float
    length: float | None
    """Seconds of input; None = to its end."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Before ``-i``."""
        start = ("-ss", number(self.start)) if self.start else ()
        return (*start, "-t", number(self.length)) if self.length is not None else start


def trim(options: Options, media: Media, *, wanted: float | None = None, speed: float = 1.0) -> Trim:
    """The piece between `extra.start` and `extra.end` that makes at most `wanted` seconds at `speed`."""
    start, end = float(options.get("extra.start", 0.0)), options.get("extra.end")
    known = media.facts.duration if media.facts else None
    if end is not None and end <= start:
        raise InvalidRequestError.at("options.extra.end", f"must be more than start ({number(start)} s)")
    if known is not None and start >= known > 0:
        raise InvalidRequestError.at("options.extra.start", f"the input is only {number(known)} s long")
    limits = [limit for limit in (end, known) if limit is not None]
    length = min(limits) - start if limits else None
    if wanted is not None:
        length = min(wanted * speed, length) if length is not None else wanted * speed
    # A limit that is only the input's own end is not passed on: durations in headers are rounded.
    if end is None and wanted is None:
        return Trim(start, None)
    return Trim(start, length)


def length_of(piece: Trim, media: Media, speed: float = 1.0) -> float | None:
    """Seconds the piece lasts when played at `speed`; None when unknown."""
    known = media.facts.duration if media.facts else None
    length = piece.length
    if length is None and known is not None:
        length = max(known - piece.start, 0.0)
    return length / speed if length is not None else None


def number(value: float) -> str:
    """A number as ffmpeg reads it."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def chain(*filters: str) -> str:
    """Filters one after the other; empty ones are left out."""
    return ",".join(f for f in filters if f)


def fit(width: int | None, height: int | None, how: str, *, even: bool) -> str:
    """Scales to a size: "contain" adds bars, "cover" cuts, "stretch" distorts. One side alone keeps the aspect.

    `even`: sides must be even, as most video codecs want.
    """
    if width is None and height is None:
        # Only ever one pixel less; does nothing to even sizes.
        return "scale=max(trunc(iw/2)*2\\,2):max(trunc(ih/2)*2\\,2),setsar=1" if even else ""
    if width is None or height is None:
        rest = "-2" if even else "-1"
        return f"scale={width or rest}:{height or rest},setsar=1"
    size = f"{width}:{height}"
    if how == "cover":
        return f"scale={size}:force_original_aspect_ratio=increase,crop={size},setsar=1"
    if how == "stretch":
        return f"scale={size},setsar=1"
    return f"scale={size}:force_original_aspect_ratio=decrease,pad={size}:(ow-iw)/2:(oh-ih)/2:black,setsar=1"


def fades(options: Options, length: float | None, *, audio: bool) -> str:
    """Fades in from and out to black or silence, for an output of `length` seconds."""
    name = "afade" if audio else "fade"
    fade_in, fade_out = options.get("extra.fade_in"), options.get("extra.fade_out")
    parts = []
    if fade_in:
        parts.append(f"{name}=t=in:st=0:d={number(fade_in)}")
    if fade_out:
        if length is None:
            raise InvalidRequestError.at(
                "options.extra.fade_out", "the length of the input is not known", hint="give extra.end as well"
            )
        fade_out = min(fade_out, length)
        parts.append(f"{name}=t=out:st={number(length - fade_out)}:d={number(fade_out)}")
    return ",".join(parts)


def sound(options: Options, length: float | None, *, speed: float = 1.0, own: str = "", rate: int = 0) -> str:
    """The chain of audio filters the options ask for: own, pitch, speed, loudness, fades.

    Args:
        options: The options of the call.
        length: Seconds of output.
        speed: 1 = as it is.
        own: The caller's filter, checked.
        rate: Samples per second of the input; 0 = unknown.
    """
    pitch, gain = options.get("audio.pitch"), options.get("audio.gain_db")
    # loudnorm works at 192 kHz and leaves it at that.
    loudness = f"loudnorm=I=-16:TP=-1.5:LRA=11,aresample={rate or 48000}" if options.get("extra.normalize") else ""
    return chain(
        own,
        f"rubberband=pitch={number(2 ** (pitch / 12))}" if pitch else "",
        f"atempo={number(speed)}" if speed != 1.0 else "",
        loudness,
        f"volume={number(gain)}dB" if gain else "",
        fades(options, length, audio=True),
    )


def audio_codec(options: Options, form: Format) -> list[str]:
    """Codec, bit rate, sample rate and channels of audio in a format."""
    arguments = list(form.audio)
    if (bitrate := options.get("extra.audio_bitrate")) is not None:
        if not form.audio_bitrate:
            raise InvalidRequestError.at("options.extra.audio_bitrate", f"{form.media_type} has no bit rate to choose")
        arguments += ["-b:a", str(int(bitrate))]
    if (rate := options.get("extra.sample_rate")) is not None:
        if form.sample_rates and int(rate) not in form.sample_rates:
            allowed = ", ".join(map(str, form.sample_rates))
            raise InvalidRequestError.at("options.extra.sample_rate", f"{form.media_type} takes {allowed}")
        arguments += ["-ar", str(int(rate))]
    if (channels := options.get("extra.channels")) is not None:
        if channels > form.max_channels:
            raise InvalidRequestError.at(
                "options.extra.channels", f"{form.media_type} has at most {form.max_channels} channels"
            )
        arguments += ["-ac", str(int(channels))]
    return arguments


def video_codec(options: Options, form: Format) -> list[str]:
    """Codec, quality and bit rate of video in a format."""
    arguments = list(form.video)
    path = "video.frame.quality" if "video.frame.quality" in options else "image.quality"
    if path in options and form.quality is None:
        raise InvalidRequestError.at(f"options.{path}", f"{form.media_type} has no quality to choose")
    if (bitrate := options.get("extra.video_bitrate")) is not None:
        if form.quality is None:
            raise InvalidRequestError.at("options.extra.video_bitrate", f"{form.media_type} has no bit rate to choose")
        arguments += ["-b:v", str(int(bitrate)), "-maxrate", str(int(bitrate)), "-bufsize", str(int(bitrate) * 2)]
    elif form.quality:
        arguments += form.quality[options.get(path, "medium")]
    return arguments


def finish(form: Format) -> str:
    """The last filter: what the codec wants to be given."""
    if form.media_type == "image/gif":
        # A palette for each frame: one for all would hold the whole video in memory.
        return "split[mc_a][mc_b];[mc_a]palettegen=stats_mode=single[mc_p];[mc_b][mc_p]paletteuse=new=1"
    return f"format={form.pixels}" if form.pixels else ""


def sides(options: Options, group: str) -> tuple[int | None, int | None]:
    """Width and height asked for."""
    width, height = options.get(f"{group}.width"), options.get(f"{group}.height")
    return (int(width) if width else None, int(height) if height else None)


def own_filter(options: Options, path: str, allowed: frozenset[str]) -> str:
    """The caller's filter at an option's path, checked; empty when absent."""
    graph = options.get(path)
    return check(graph, allowed, f"options.{path}") if graph else ""
