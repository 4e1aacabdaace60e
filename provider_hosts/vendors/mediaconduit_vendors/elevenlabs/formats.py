"""Formats of audio: the contract's media types and ElevenLabs' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mediaconduit_provider import Call

from mediaconduit_vendors.pcm import Swapper, rate_of, wav_header

_RATES: Final = (24000, 16000, 22050, 44100, 48000, 8000)
_WAV_RATE: Final = 24000
MEDIA_TYPES: Final = (
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    *(f"audio/L16; rate={rate}; channels=1" for rate in _RATES),
    "audio/basic",
    "audio/PCMA; rate=8000",
)
"""What can be made, the default first. WAV is made here, of raw samples."""
BITRATES: Final = (
    "mp3_22050_32",
    "mp3_24000_48",
    "mp3_44100_32",
    "mp3_44100_64",
    "mp3_44100_96",
    "mp3_44100_128",
    "mp3_44100_192",
    "opus_48000_32",
    "opus_48000_64",
    "opus_48000_96",
    "opus_48000_128",
    "opus_48000_192",
)
"""Those that differ in how many bits they spend, for ``extra.output_format``."""
_NAMES: Final = {"audio/mpeg": "mp3_44100_128", "audio/ogg": "opus_48000_128", "audio/basic": "ulaw_8000"}


class Format:
    """The format of a call's audio."""

    def __init__(self, call: Call) -> None:
        asked = call.option("extra.output_format") or ""
        offered = {"mp3": ("audio/mpeg",), "opus": ("audio/ogg",)}.get(asked.partition("_")[0], MEDIA_TYPES)
        self.media_type = call.media_type(*offered)
        self.name = asked or self._name()
        """As ``output_format``."""

    def _name(self) -> str:
        kind = self.media_type.partition(";")[0]
        if kind == "audio/wav":
            return f"pcm_{_WAV_RATE}"
        if kind == "audio/L16":
            return f"pcm_{rate_of(self.media_type, _RATES[0])}"
        return _NAMES.get(kind, "alaw_8000")

    def decoder(self) -> Callable[[bytes], Iterator[bytes]]:
        """Turns the vendor's pieces into those of the media type."""
        kind = self.media_type.partition(";")[0]
        swapper = Swapper() if kind == "audio/L16" else None
        header = wav_header(_WAV_RATE) if kind == "audio/wav" else b""

        def decode(piece: bytes) -> Iterator[bytes]:
            nonlocal header
            if header:
                yield header
                header = b""
            if data := swapper.swapped(piece) if swapper is not None else piece:
                yield data

        return decode
