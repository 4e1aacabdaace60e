"""What a GGUF file says about itself, read from its first bytes without loading it.

The format is fixed by https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The ``gguf`` package reads it too, but
brings numpy along and takes seconds on the vocabulary of a large model; this stops at nothing it does not need.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING_LIMIT = 16 * 1024 * 1024
"""Longer strings are no strings but the sign of a damaged file."""

NO_POOLING, RANK_POOLING = 0, 4


class HeaderError(ValueError):
    """The file is no GGUF file that can be used; the text says why, without its path."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is worth knowing before a model is loaded."""

    architecture: str
    """"llama", "qwen3", "bert" …"""
    name: str
    """Given by its makers; may be empty."""
    context_tokens: int
    """Tokens it was trained for; 0 = not said."""
    pooling: int | None
    """How it pools embeddings (llama_pooling_type), for models made to embed; None = not said."""


def read_header(path: Path) -> Header:
    """Reads it. Raises `HeaderError` when the file cannot be read or is something else."""
    try:
        with path.open("rb") as file:
            found = _metadata(file)
    except FileNotFoundError:
        raise HeaderError("there is no such file on the provider's machine") from None
    except IsADirectoryError:
        raise HeaderError("this is a folder, not a GGUF file") from None
    except PermissionError:
        raise HeaderError("the provider is not allowed to read this file") from None
    except (struct.error, UnicodeDecodeError):
        raise HeaderError("this GGUF file is damaged or incomplete") from None
    except OSError as error:
        raise HeaderError(f"this file cannot be read ({error.strerror})") from None
    architecture = str(found.get("general.architecture", ""))
    if not architecture:
        raise HeaderError("this GGUF file holds no model (it names no architecture)")
    pooling = found.get(f"{architecture}.pooling_type")
    return Header(
        architecture=architecture,
        name=str(found.get("general.name", "")),
        context_tokens=int(found.get(f"{architecture}.context_length", 0)),
        pooling=None if pooling is None else int(pooling),
    )


def _metadata(file: BinaryIO) -> dict[str, str | float]:
    if file.read(4) != MAGIC:
        raise HeaderError("this is not a GGUF file")
    version, _tensors, count = struct.unpack("<IQQ", file.read(20))
    if version not in VERSIONS:
        raise HeaderError(f"this GGUF file has version {version}; versions {VERSIONS[0]} to {VERSIONS[-1]} can be read")
    found: dict[str, str | float] = {}
    for _ in range(count):
        key = _string(file)
        value = _value(file, _number(file, "I"))
        if value is not None:
            found[key] = value
    return found


def _value(file: BinaryIO, kind: int) -> str | float | None:
    """A value; None for an array, which is skipped."""
    if kind == STRING:
        return _string(file)
    if kind == ARRAY:
        kind, count = struct.unpack("<IQ", file.read(12))
        if kind in NUMBERS:
            file.seek(struct.calcsize("<" + NUMBERS[kind]) * count, 1)
        else:
            for _ in range(count):
                _value(file, kind)
        return None
    if kind not in NUMBERS:
        raise HeaderError("this GGUF file is damaged or incomplete")
    return _number(file, NUMBERS[kind])


def _number(file: BinaryIO, code: str) -> int:
    number: int = struct.unpack("<" + code, file.read(struct.calcsize("<" + code)))[0]
    return number


def _string(file: BinaryIO) -> str:
    size = _number(file, "Q")
    if size > STRING_LIMIT:
        raise HeaderError("this GGUF file is damaged or incomplete")
    read = file.read(size)
    if len(read) < size:
        raise HeaderError("this GGUF file is damaged or incomplete")
    return read.decode("utf-8", "replace")
