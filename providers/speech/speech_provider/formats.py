"""The two forms audio leaves in."""

from __future__ import annotations

import struct
from typing import Final

SAMPLE_RATE: Final = 22050
"""Samples per second of every voice of the engine."""
CHANNELS: Final = 1
SAMPLE_BYTES: Final = 2
WAV: Final = "audio/wav"
L16: Final = f"audio/L16; rate={SAMPLE_RATE}; channels={CHANNELS}"
"""Bare samples, the high byte first, as RFC 2586 says."""
UNKNOWN_SIZE: Final = 0xFFFFFFFF
"""In a WAV header: until the end of the stream."""


def wav_header(data_bytes: int | None = None) -> bytes:
    """The 44 bytes before the samples; without a size the header of a stream that is still being made."""
    riff = UNKNOWN_SIZE if data_bytes is None else data_bytes + 36
    data = UNKNOWN_SIZE if data_bytes is None else data_bytes
    frame = CHANNELS * SAMPLE_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", riff, b"WAVE", b"fmt ", 16, 1),
        *(CHANNELS, SAMPLE_RATE, SAMPLE_RATE * frame, frame, SAMPLE_BYTES * 8, b"data", data),
    )
