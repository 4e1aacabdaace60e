"""What the provider and an engine say to each other: a byte of kind, a length, a payload.

To the engine, in this order: ``MANNER`` (JSON of `engine.Manner`) once, then any number of ``TEXT`` or ``SSML``
(UTF-8), each answered by ``AUDIO`` and ``MARKS`` and at last one ``SPOKEN``. ``VOICES`` is answered by ``VOICES``. At
the end of its input the engine exits with 0. It says ``READY`` (JSON: version, sample_rate) first, and ``REFUSED``
(UTF-8, why) before it exits with 1. Imports nothing but the standard library.
"""

from __future__ import annotations

import struct
from typing import Final

HEADER: Final = struct.Struct("<cI")
READY, MANNER, TEXT, SSML, AUDIO, MARKS, SPOKEN, VOICES, REFUSED = (
    *(b"R", b"M", b"T", b"S", b"A"),
    *(b"K", b"D", b"V", b"X"),
)


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return HEADER.pack(kind, len(payload)) + payload
