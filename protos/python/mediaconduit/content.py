"""What goes in: text, bytes, files and messages of the contract, as turns of parts that may come from elsewhere."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1 import media_pb2
from mediaconduit.v1.media_pb2 import Part, Role, Turn

Source: TypeAlias = Path | AsyncIterable[bytes]
"""Content that is read while it is sent."""


@dataclass(frozen=True, slots=True)
class Media:
    """Content and what it is: ``Media(wav, "audio/wav")``."""

    content: bytes | Path | AsyncIterable[bytes]
    """Bytes, a file, or chunks that come while they are sent (a microphone)."""
    media_type: str
    """IANA media type with parameters ("audio/L16; rate=24000; channels=1")."""
    name: str = ""
    """What the part is for when a model takes several ("voice")."""


@dataclass(frozen=True, slots=True)
class Message:
    """A turn whose content may be files; made by `user`, `system`, `assistant`."""

    role: Role.ValueType
    content: Content
    name: str = ""
    """Which participant within the role."""


Item: TypeAlias = (
    str
    | Path
    | Media
    | Message
    | Part
    | Turn
    | media_pb2.Asset
    | media_pb2.ToolCall
    | media_pb2.ToolResult
    | media_pb2.Reasoning
    | media_pb2.Transcript
    | media_pb2.Embedding
    | media_pb2.Scores
)
Content: TypeAlias = Item | Sequence[Item] | None
"""What a call takes: one item or a list of them; those that are no turns join into turns of the user."""
NamedInputs: TypeAlias = Mapping[str, Item | Sequence[Item]]
"""Inputs by name."""


def user(*content: Item, name: str = "") -> Message:
    """What the caller says. To a model that embeds or judges, every one is an item of its own."""
    return Message(Role.ROLE_USER, content, name)


def system(*content: Item) -> Message:
    """Instructions that frame the conversation."""
    return Message(Role.ROLE_SYSTEM, content)


def assistant(*content: Item, name: str = "") -> Message:
    """What the model said."""
    return Message(Role.ROLE_ASSISTANT, content, name)


def tool_result(call: media_pb2.ToolCall, *content: Item, is_error: bool = False) -> media_pb2.ToolResult:
    """The answer to a tool call, to be sent in the next turn."""
    result = media_pb2.ToolResult(call_id=call.id, is_error=is_error)
    for item in content:
        result.parts.append(_piece(item, "content").whole("a tool result"))
    return result


@dataclass(frozen=True, slots=True)
class Piece:
    """A part, and where its bytes come from when it does not hold them."""

    part: Part
    source: Source | None = None

    def whole(self, where: str) -> Part:
        """The part, which must hold its content."""
        if self.source is not None:
            raise InvalidRequestError(f"{where} takes text and bytes, no files", hint="read the file first")
        return self.part


@dataclass(slots=True)
class Draft:
    """A turn on its way to the wire."""

    role: Role.ValueType
    pieces: list[Piece] = field(default_factory=list)
    name: str = ""


def drafts(content: Content, *, inputs: NamedInputs | None = None, system: str = "") -> list[Draft]:
    """All of a request's input as turns. Raises `InvalidRequestError` for files without a media type, TypeError for
    what is no content at all."""
    turns = [Draft(Role.ROLE_SYSTEM, [_text(system)])] if system else []
    open_turn: Draft | None = None
    for item in _items(content):
        if isinstance(item, Turn | Message):
            turns.append(_turn(item))
            open_turn = None
            continue
        role = Role.ROLE_TOOL if isinstance(item, media_pb2.ToolResult) else Role.ROLE_USER
        if open_turn is None or open_turn.role != role:
            open_turn = Draft(role)
            turns.append(open_turn)
        open_turn.pieces.append(_piece(item, "content"))
    for name, named in (inputs or {}).items():
        if not turns or turns[-1].role != Role.ROLE_USER:
            turns.append(Draft(Role.ROLE_USER))
        for item in _items(named):
            turns[-1].pieces.append(_named(_piece(item, f'inputs["{name}"]'), name))
    return turns


def _items(content: Content) -> Sequence[Item]:
    if content is None:
        return ()
    if isinstance(content, list | tuple):
        return content
    return (content,)  # type: ignore[return-value]  # a str is a sequence of str to the type checker


def _turn(turn: Turn | Message) -> Draft:
    if isinstance(turn, Turn):
        return Draft(turn.role, [Piece(part) for part in turn.parts], turn.name)
    pieces = [_piece(item, "content") for item in _items(turn.content)]
    return Draft(turn.role, pieces, turn.name)


def _piece(item: Item, where: str) -> Piece:
    match item:
        case str():
            return _text(item)
        case Path():
            return Piece(Part(media_type=media_type_of(item, where)), item)
        case Media(content=bytes() | bytearray() | memoryview() as data):
            return Piece(Part(media_type=item.media_type, name=item.name, data=bytes(data)))
        case Media():
            return Piece(Part(media_type=item.media_type, name=item.name), item.content)  # type: ignore[arg-type]
        case Part():
            return Piece(item)
        case bytes() | bytearray() | memoryview():
            raise TypeError(f'{where}: bytes need a media type: Media(data, "audio/wav")')
    for kind, name in _WRAPPED.items():
        if isinstance(item, kind):
            return Piece(Part(**{name: item}))  # type: ignore[arg-type]
    raise TypeError(f"{where}: {type(item).__name__} is no content; use str, Path, Media, Part or a turn")


_WRAPPED: Final = {
    media_pb2.Asset: "asset",
    media_pb2.ToolCall: "tool_call",
    media_pb2.ToolResult: "tool_result",
    media_pb2.Reasoning: "reasoning",
    media_pb2.Transcript: "transcript",
    media_pb2.Embedding: "embedding",
    media_pb2.Scores: "scores",
}


def _text(text: str) -> Piece:
    return Piece(Part(text=text))


def _named(piece: Piece, name: str) -> Piece:
    part = Part()
    part.CopyFrom(piece.part)
    part.name = name
    return Piece(part, piece.source)


_TYPES: Final = {
    # What Python or the machine's own tables leave out or call by an old name.
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/matroska",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".json": "application/json",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".ssml": "application/ssml+xml",
}
_SUFFIXES: Final = {media_type: suffix for suffix, media_type in reversed(_TYPES.items())} | {"audio/l16": ".pcm"}


def media_type_of(path: Path, where: str = "content") -> str:
    """The media type a file's name tells."""
    known = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    if known is None:
        raise InvalidRequestError.at(
            where, f"the name '{path.name}' does not tell a media type", hint='say it: Media(path, "audio/wav")'
        )
    return known


def suffix_of(media_type: str) -> str:
    """The usual ending of a file of this media type (".wav"), ".bin" when there is none."""
    plain = media_type.partition(";")[0].strip().lower()
    return _SUFFIXES.get(plain) or mimetypes.guess_extension(plain) or ".bin"


def is_text(media_type: str) -> bool:
    """Whether parts of this media type travel as text."""
    plain = media_type.partition(";")[0].strip().lower()
    return plain.startswith("text/") or plain in {
        "application/json",
        "application/ssml+xml",
        "application/x-subrip",
        "application/yaml",
    }
