"""What the provider offers. One model for each capability, so that either name finds the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit_provider import InputSpec, Model, Pricing

from ffmpeg_provider.filters import MAX_LENGTH
from ffmpeg_provider.formats import AUDIO_OUTPUTS, IMAGE_OUTPUTS, VIDEO_OUTPUTS
from ffmpeg_provider.overlays import BLENDS, POSITIONS
from ffmpeg_provider.slides import MOTIONS, TRANSITIONS

Schemas = Mapping[str, Mapping[str, Any]]

GIB: Final = 1024**3
MIB: Final = 1024**2


def _seconds(description: str, *, least: float = 0.0, most: float = 86_400) -> dict[str, Any]:
    return {"type": "number", "minimum": least, "maximum": most, "description": f"{description} Seconds."}


def _one_of(description: str, *names: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(names), "description": description}


def _filter(description: str) -> dict[str, Any]:
    text = f"{description} Filters are allowed by name; the README lists them."
    return {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "description": text}


def _ratio(description: str) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


_COLOR: Final = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
_SPEED: Final = {"type": "number", "minimum": 0.25, "maximum": 4, "description": "1 = as it is; the pitch stays."}

_CUT: Final[Schemas] = {
    "extra.start": _seconds("Where to begin."),
    "extra.end": _seconds("Where to end, counted from the input's beginning.", least=0.001),
}
_FADES: Final[Schemas] = {
    "extra.fade_in": _seconds("Fades in from silence and black.", most=600),
    "extra.fade_out": _seconds("Fades out to silence and black.", most=600),
}
_LOUDNESS: Final[Schemas] = {
    "audio.gain_db": {"type": "number", "minimum": -60, "maximum": 40, "description": "Louder or softer. Decibels."},
    "extra.normalize": {"type": "boolean", "description": "Brings it to -16 LUFS, peaks below -1.5 dBTP."},
}
_AUDIO_FORMAT: Final[Schemas] = {
    "extra.audio_bitrate": {
        "type": "integer",
        "minimum": 6_000,
        "maximum": 512_000,
        "description": "Bits per second, for formats that lose something.",
    },
    "extra.sample_rate": {"type": "integer", "minimum": 8_000, "maximum": 192_000, "description": "Hertz."},
    "extra.channels": {"type": "integer", "minimum": 1, "maximum": 8, "description": "1 = mono, 2 = stereo."},
}
_SOUND: Final[Schemas] = {
    **_CUT,
    **_FADES,
    **_LOUDNESS,
    **_AUDIO_FORMAT,
    "audio.speed": _SPEED,
    "audio.pitch": {"type": "number", "minimum": -24, "maximum": 24, "description": "Higher or lower. Semitones."},
    "audio.duration": _seconds("Most that comes out.", least=0.001),
    "extra.filter": _filter("A filtergraph for the sound, applied first."),
}
_FIT: Final[Schemas] = {
    "extra.fit": _one_of("When width and height are both given: bars, cut, or distort.", "contain", "cover", "stretch"),
}
_SIDE: Final = {"type": "integer", "minimum": 2, "maximum": 7680, "multipleOf": 2}
_PICTURE: Final[Schemas] = {
    **_FIT,
    "video.frame.width": {**_SIDE, "description": "Pixels. Alone it keeps the shape."},
    "video.frame.height": {**_SIDE, "description": "Pixels. Alone it keeps the shape."},
    "video.frame.quality": _one_of("Against size; medium by default.", "low", "medium", "high"),
    "video.frame_rate": {"type": "number", "minimum": 1, "maximum": 120, "description": "Frames per second."},
    "extra.video_bitrate": {
        "type": "integer",
        "minimum": 10_000,
        "maximum": 100_000_000,
        "description": "Bits per second, instead of a quality.",
    },
}
_OVERLAY: Final = {
    "type": "object",
    "additionalProperties": False,
    "description": "How the input named 'overlay' lies over the video.",
    "properties": {
        "position": _one_of("Where; bottom-right by default.", *POSITIONS),
        "x": _ratio("Instead: share of the free width to its left."),
        "y": _ratio("Instead: share of the free height above it."),
        "width": {**_ratio("Share of the video's width; its own size by default."), "minimum": 0.01},
        "opacity": _ratio("1 = covers, 0 = not seen."),
        "blend": _one_of("How the colours mix.", *BLENDS),
        "start": _seconds("When it appears."),
        "end": _seconds("When it disappears.", least=0.001),
        "fade_in": _seconds("Appears slowly.", most=600),
        "fade_out": _seconds("Disappears slowly.", most=600),
    },
}

_FREE: Final = Pricing(currency="USD")


def _audio_input(name: str = "", *, required: bool = True) -> InputSpec:
    return InputSpec(name, ["audio/*"], required=required, max_bytes=4 * GIB)


def _video_input(name: str = "", *, required: bool = True) -> InputSpec:
    return InputSpec(name, ["video/*", "image/gif"], required=required, max_bytes=16 * GIB)


MODELS: Final = (
    Model(
        "convert",
        ["audio-to-audio"],
        display_name="Convert audio",
        description="Audio in another format: cut, louder, faster, filtered, faded.",
        inputs=[_audio_input()],
        options=_SOUND,
        output_media_types=AUDIO_OUTPUTS,
        features=["streaming"],
        pricing=_FREE,
    ),
    Model(
        "extract",
        ["video-to-audio"],
        display_name="Extract sound",
        description="The sound of a video.",
        inputs=[_video_input()],
        options=_SOUND,
        output_media_types=AUDIO_OUTPUTS,
        features=["streaming"],
        pricing=_FREE,
    ),
    Model(
        "frame",
        ["video-to-image"],
        display_name="Take a frame",
        description="One picture of a video.",
        inputs=[_video_input()],
        options={
            **_FIT,
            "extra.at": _seconds("Which moment; the first by default."),
            "image.width": {"type": "integer", "minimum": 1, "maximum": 7680, "description": "Pixels."},
            "image.height": {"type": "integer", "minimum": 1, "maximum": 7680, "description": "Pixels."},
            "image.quality": _one_of("Of JPEG and WebP; medium by default.", "low", "medium", "high"),
            "extra.filter": _filter("A filtergraph for the picture, applied first."),
        },
        output_media_types=IMAGE_OUTPUTS,
        pricing=_FREE,
    ),
    Model(
        "edit",
        ["video-to-video"],
        display_name="Edit video",
        description="A video cut, scaled, filtered, faded, in another format, with something laid over it.",
        inputs=[
            _video_input(),
            InputSpec("overlay", ["image/*", "video/*"], max_bytes=4 * GIB),
        ],
        options={
            **_CUT,
            **_FADES,
            **_LOUDNESS,
            **_AUDIO_FORMAT,
            **_PICTURE,
            "video.duration": _seconds("Most that comes out.", least=0.001),
            "video.sound": {"type": "boolean", "description": "With sound, where the input has some; true by default."},
            "extra.speed": {**_SPEED, "description": "1 = as it is; sound keeps its pitch."},
            "extra.filter": _filter("A filtergraph for the pictures, applied first."),
            "extra.audio_filter": _filter("A filtergraph for the sound, applied first."),
            "extra.overlay": _OVERLAY,
        },
        output_media_types=VIDEO_OUTPUTS,
        features=["streaming"],
        pricing=_FREE,
    ),
    Model(
        "animate",
        ["image-to-video"],
        display_name="Animate images",
        description="A picture as a video, or several as a slide show, with sound where it is given.",
        inputs=[
            InputSpec("", ["image/*"], required=True, max_bytes=64 * MIB, max_count=100),
            _audio_input("audio", required=False),
        ],
        options={
            **_FADES,
            **_LOUDNESS,
            **_AUDIO_FORMAT,
            **_PICTURE,
            "video.duration": _seconds("In all; that of the sound, or 3 for each picture, by default.", least=0.04),
            "video.camera_motion": _one_of("What the camera does; static by default.", *MOTIONS),
            "video.motion_strength": _ratio("How much it does."),
            "extra.seconds_per_image": _seconds("How long each is shown; 3 by default.", least=0.04, most=3600),
            "extra.crossfade": _seconds("How long one picture goes over into the next.", most=60),
            "extra.transition": _one_of("How it does; fade by default.", *TRANSITIONS),
        },
        output_media_types=VIDEO_OUTPUTS,
        features=["streaming"],
        pricing=_FREE,
    ),
    Model(
        "waveform",
        ["audio-to-video"],
        display_name="Draw sound",
        description="Sound as a video: its waveform or spectrum, a picture given as 'image', or both.",
        inputs=[_audio_input(), InputSpec("image", ["image/*"], max_bytes=64 * MIB)],
        options={
            **_CUT,
            **_FADES,
            **_LOUDNESS,
            **_AUDIO_FORMAT,
            **_PICTURE,
            "video.duration": _seconds("Most that comes out.", least=0.001),
            "extra.style": _one_of(
                "What is drawn; wave by default, none where a picture is given.",
                "wave",
                "line",
                "points",
                "bars",
                "spectrum",
                "none",
            ),
            "extra.color": {**_COLOR, "description": "Of what is drawn, as #rrggbb."},
            "extra.background": {**_COLOR, "description": "Where there is no picture, as #rrggbb."},
        },
        output_media_types=("video/mp4", "video/webm", "video/x-matroska", "video/quicktime"),
        features=["streaming"],
        pricing=_FREE,
    ),
)
