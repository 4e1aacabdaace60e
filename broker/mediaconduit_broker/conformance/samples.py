"""Inputs to try models with: small, real media, made here."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
import zlib
from functools import cache
from importlib import resources
from typing import Final

from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.models_pb2 import InputSpec, Model

TEXT: Final = "The quick brown fox jumps over the lazy dog. It was a fine day for both."
QUERY: Final = "animals that jump"
ITEMS: Final = (TEXT, "Rain fell on the roofs of the town.")
WORDS: Final = "Describe it in one short sentence, and make the sky blue."
"""Goes with media that a model takes together with text: whoever changes or reads them must be told how."""
JUDGED: Final = frozenset({"embedding", "scores"})
"""Results that are made of items, of which one turn holds one."""
MEDIA: Final = {"audio": "audio/wav", "image": "image/png", "video": "video/mp4", "3d": "model/gltf-binary"}
"""What the suite has, by kind of input."""


@cache
def content(media_type: str) -> bytes:
    """A sample of a media type of `MEDIA`."""
    match media_type:
        case "audio/wav":
            return _tone()
        case "image/png":
            return _picture()
        case "video/mp4":
            return (resources.files(__package__) / "data" / "sample.mp4").read_bytes()
        case _:
            return _triangle()


def spec_of(model: Model, name: str = "") -> InputSpec | None:
    """What a model says about an input; None when it says nothing."""
    return next((spec for spec in model.inputs if spec.name == name), None)


def turns(model: Model, capability: str, given: Part | None = None, *, framed: bool = True) -> list[Turn] | None:
    """An input for the capability, the main part first in its turn; None when there is none that it takes.

    Args:
        model: Says what it takes.
        capability: "text-to-image".
        given: The main input; None = the suite's own.
        framed: Whether what is judged has a turn around it that says by what: a ranking needs a query, and moderation
            takes none.
    """
    source, _, result = capability.partition("-to-")
    main = _main(model, source) if given is None else _fitting(model, given)
    others = [_named(spec) for spec in model.inputs if spec.name and spec.required]
    if main is None or any(part is None for part in others):
        return None
    first = Turn(role=Role.ROLE_USER, parts=[main, *(part for part in others if part is not None)])
    if result not in JUDGED:
        if source != "text" and _takes_words(model):
            first.parts.append(Part(text=WORDS, media_type="text/plain"))
        return [first]
    framing = [Turn(role=Role.ROLE_SYSTEM, parts=[Part(text=QUERY)])] if result == "scores" and framed else []
    second = Part()
    second.CopyFrom(main)
    if second.HasField("text"):
        second.text = ITEMS[1]
    return [*framing, first, Turn(role=Role.ROLE_USER, parts=[second])]


def garbage(part: Part) -> Part:
    """The same part with bytes that are not what its media type says."""
    return Part(name=part.name, media_type=part.media_type, data=b"\x00\xffnot what it says " * 64)


def _main(model: Model, source: str) -> Part | None:
    if source == "text":
        return _fitting(model, Part(text=TEXT, media_type="text/plain"))
    media_type = MEDIA.get(source)  # a capability that the contract does not have is another check's matter
    return None if media_type is None else _fitting(model, Part(media_type=media_type, data=content(media_type)))


def _fitting(model: Model, part: Part) -> Part | None:
    spec = spec_of(model)
    return part if spec is None or takes(spec, part.media_type) else None


def _takes_words(model: Model) -> bool:
    """Whether the main input may be text, said in so many words."""
    spec = spec_of(model)
    return spec is not None and bool(spec.media_types) and takes(spec, "text/plain")


def _named(spec: InputSpec) -> Part | None:
    """A part for a named input; None when the suite has nothing that it takes."""
    if takes(spec, "text/plain"):
        return Part(name=spec.name, media_type="text/plain", text=TEXT)
    media_type = next((media_type for media_type in MEDIA.values() if takes(spec, media_type)), None)
    return None if media_type is None else Part(name=spec.name, media_type=media_type, data=content(media_type))


def takes(spec: InputSpec, media_type: str) -> bool:
    """Whether an input accepts a media type."""
    kind = media_type.partition("/")[0]
    return not spec.media_types or any(
        pattern.partition(";")[0].strip().lower() in (media_type, f"{kind}/*", "*/*") for pattern in spec.media_types
    )


def _tone() -> bytes:
    """Half a second of 440 Hz, 16 bit, mono."""
    rate, file = 16_000, io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        samples = (round(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate // 2))
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def _picture() -> bytes:
    """64 × 48 pixels of colours that run into each other."""
    width, height = 64, 48
    rows = (
        b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, 128)) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _triangle() -> bytes:
    """A triangle as binary glTF."""
    points = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    scene = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "buffers": [{"byteLength": len(points)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(points)}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}
        ],
    }
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(points), b"BIN\0") + points
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body
