"""Raw samples: vendors send them little-endian, the contract's audio/L16 is big-endian (RFC 2586)."""

from __future__ import annotations

import struct
from array import array
from typing import Final

_UNKNOWN_SIZE: Final = 0xFFFFFFFF
"""In a WAV header: until the end of the stream."""


class Swapper:
    """Swaps the bytes of 16-bit samples that come in pieces of any length."""

    def __init__(self) -> None:
        self._half = b""

    def swapped(self, piece: bytes) -> bytes:
        """The samples that are whole by now; may be empty."""
        data = self._half + piece if self._half else piece
        cut = len(data) & ~1
        self._half = data[cut:]
        samples = array("H", data[:cut])
        samples.byteswap()
        return samples.tobytes()


def rate_of(media_type: str, default: int) -> int:
    """Samples per second that "audio/L16; rate=24000" names."""
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "rate" and value.strip().isdigit():
            return int(value)
    return default


def wav_header(rate: int, channels: int = 1) -> bytes:
    """What comes before little-endian samples of 16 bits, of a stream whose length is not known yet."""
    frame = channels * 2
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _UNKNOWN_SIZE, b"WAVE", b"fmt ", 16, 1),
        *(channels, rate, rate * frame, frame, 16, b"data", _UNKNOWN_SIZE),
    )
