"""Media types and what ffmpeg calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Container:
    """A format of inputs."""

    label: str
    """For people."""
    demuxers: tuple[str, ...]
    """Names ffmpeg gives it."""
    pipeable: bool = False
    """Readable from the first byte on, without seeking."""


_WAV = Container("WAV audio", ("wav",), pipeable=True)
_MP3 = Container("MP3 audio", ("mp3",), pipeable=True)
_OGG = Container("Ogg", ("ogg",), pipeable=True)
_FLAC = Container("FLAC audio", ("flac",), pipeable=True)
_AAC = Container("AAC audio", ("aac",), pipeable=True)
_AIFF = Container("AIFF audio", ("aiff",))
_AU = Container("AU audio", ("au",))
_AMR = Container("AMR audio", ("amr",))
_MP4 = Container("MP4", ("mov", "mp4", "m4a", "3gp", "3g2", "mj2"))
_MATROSKA = Container("WebM or Matroska", ("matroska", "webm"), pipeable=True)
_TS = Container("MPEG transport stream", ("mpegts",), pipeable=True)
_MPEG = Container("MPEG video", ("mpeg", "mpegvideo"))
_AVI = Container("AVI video", ("avi",))
_FLV = Container("FLV video", ("flv",), pipeable=True)
_PNG = Container("PNG image", ("png_pipe",))
_JPEG = Container("JPEG image", ("jpeg_pipe",))
_WEBP = Container("WebP image", ("webp_pipe", "webp_anim"))
_GIF = Container("GIF image", ("gif",))
_BMP = Container("BMP image", ("bmp_pipe",))
_TIFF = Container("TIFF image", ("tiff_pipe",))

INPUTS: Final[Mapping[str, Container]] = {
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"), _WAV),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), _MP3),
    **dict.fromkeys(("audio/ogg", "audio/opus", "audio/vorbis", "video/ogg"), _OGG),
    **dict.fromkeys(("audio/flac", "audio/x-flac"), _FLAC),
    **dict.fromkeys(("audio/aac", "audio/aacp"), _AAC),
    **dict.fromkeys(("audio/aiff", "audio/x-aiff"), _AIFF),
    **dict.fromkeys(("audio/amr", "audio/amr-wb"), _AMR),
    "audio/basic": _AU,
    **dict.fromkeys(("audio/mp4", "audio/m4a", "audio/x-m4a", "audio/3gpp"), _MP4),
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2"), _MP4),
    **dict.fromkeys(("audio/webm", "video/webm", "video/x-matroska", "audio/x-matroska", "video/matroska"), _MATROSKA),
    "video/mp2t": _TS,
    "video/mpeg": _MPEG,
    **dict.fromkeys(("video/x-msvideo", "video/avi", "video/vnd.avi"), _AVI),
    "video/x-flv": _FLV,
    "image/png": _PNG,
    **dict.fromkeys(("image/jpeg", "image/jpg"), _JPEG),
    "image/webp": _WEBP,
    "image/gif": _GIF,
    **dict.fromkeys(("image/bmp", "image/x-ms-bmp"), _BMP),
    "image/tiff": _TIFF,
}
"""What inputs may be, by media type."""

CONTAINERS: Final[Mapping[str, Container]] = {name: c for c in INPUTS.values() for name in c.demuxers}
"""By ffmpeg's name. Playlists, scripts and everything else that names other files is not among them."""


def essence(media_type: str) -> str:
    """A media type without parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Format:
    """A format of outputs."""

    media_type: str
    suffix: str
    muxer: tuple[str, ...]
    """Arguments that choose and set up the muxer."""
    video: tuple[str, ...] = ()
    """Arguments that choose the video codec; empty = it holds no video."""
    audio: tuple[str, ...] = ()
    """Arguments that choose the audio codec; empty = it holds no audio."""
    streamed: bool = True
    """Written from the first byte to the last: sent while it is made. Others are made as a file first."""
    audio_bitrate: bool = True
    """Its audio codec has a bit rate to choose."""
    sample_rates: tuple[int, ...] = ()
    """The only sample rates its codec takes; empty = any."""
    max_channels: int = 8
    """Most channels of audio."""
    pixels: str = ""
    """Pixel format players expect."""
    quality: Mapping[str, tuple[str, ...]] | None = None
    """Arguments for "low", "medium", "high"."""


_X264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-force_key_frames", "expr:gte(t,n_forced*2)")
_X264_QUALITY: Final = {"low": ("-crf", "30"), "medium": ("-crf", "23"), "high": ("-crf", "17")}
_VP9: Final = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1", "-b:v", "0")
_VP9_QUALITY: Final = {"low": ("-crf", "42"), "medium": ("-crf", "33"), "high": ("-crf", "24")}
_OPUS: Final = ("-c:a", "libopus")
_OPUS_RATES: Final = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_CODEC: Final = ("-c:a", "aac")

_MP4_OUT: Final = Format(
    "video/mp4",
    ".mp4",
    # A plain MP4 needs its index written last and read first; fragments need no seeking.
    ("-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
    video=_X264,
    audio=_AAC_CODEC,
    pixels="yuv420p",
    quality=_X264_QUALITY,
)

_OUTPUTS: Final = (
    Format("audio/wav", ".wav", ("-f", "wav"), audio=("-c:a", "pcm_s16le"), audio_bitrate=False),
    Format("audio/mpeg", ".mp3", ("-f", "mp3"), audio=("-c:a", "libmp3lame"), sample_rates=_MP3_RATES, max_channels=2),
    Format("audio/ogg", ".ogg", ("-f", "ogg"), audio=_OPUS, sample_rates=_OPUS_RATES),
    Format("audio/webm", ".webm", ("-f", "webm"), audio=_OPUS, sample_rates=_OPUS_RATES),
    Format("audio/aac", ".aac", ("-f", "adts"), audio=_AAC_CODEC),
    # Its encoder takes the size of the first frame as that of all, and filters may make one that is too large.
    Format(
        "audio/flac",
        ".flac",
        ("-f", "flac"),
        audio=("-c:a", "flac", "-frame_size", "4096"),
        streamed=False,
        audio_bitrate=False,
    ),
    Format("audio/mp4", ".m4a", ("-f", "ipod", "-movflags", "+faststart"), audio=_AAC_CODEC, streamed=False),
    _MP4_OUT,
    Format(
        "video/webm",
        ".webm",
        ("-f", "webm"),
        video=_VP9,
        audio=_OPUS,
        sample_rates=_OPUS_RATES,
        pixels="yuv420p",
        quality=_VP9_QUALITY,
    ),
    replace(_MP4_OUT, media_type="video/x-matroska", suffix=".mkv", muxer=("-f", "matroska")),
    replace(
        _MP4_OUT,
        media_type="video/quicktime",
        suffix=".mov",
        muxer=("-f", "mov", "-movflags", "+faststart"),
        streamed=False,
    ),
    Format("image/gif", ".gif", ("-f", "gif"), video=("-c:v", "gif")),
    Format("image/png", ".png", ("-f", "image2pipe"), video=("-c:v", "png")),
    Format(
        "image/jpeg",
        ".jpg",
        ("-f", "image2pipe"),
        video=("-c:v", "mjpeg"),
        pixels="yuvj420p",
        quality={"low": ("-q:v", "12"), "medium": ("-q:v", "4"), "high": ("-q:v", "2")},
    ),
    Format(
        "image/webp",
        ".webp",
        ("-f", "image2pipe"),
        video=("-c:v", "libwebp"),
        quality={"low": ("-quality", "50"), "medium": ("-quality", "80"), "high": ("-quality", "95")},
    ),
)

OUTPUTS: Final[Mapping[str, Format]] = {f.media_type: f for f in _OUTPUTS}
"""What outputs may be, by media type."""
AUDIO_OUTPUTS: Final = tuple(t for t in OUTPUTS if t.startswith("audio/"))
VIDEO_OUTPUTS: Final = (*(t for t in OUTPUTS if t.startswith("video/")), "image/gif")
IMAGE_OUTPUTS: Final = ("image/png", "image/jpeg", "image/webp")
