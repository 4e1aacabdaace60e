"""Raw samples: vendors send them little-endian, the contract's audio/L16 is big-endian (RFC 2586)."""

from __future__ import annotations

from array import array


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
