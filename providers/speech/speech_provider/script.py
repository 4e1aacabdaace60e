"""What is to be said: checking texts before the engine sees them, and cutting texts that still arrive."""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final
from xml.parsers import expat

from mediaconduit_provider import InvalidRequestError

SSML: Final = "application/ssml+xml"
PLAIN: Final = "text/plain"
MAX_BYTES: Final = 1024 * 1024
"""Of a text: about 18 hours of speech."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ufeff]")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…;:])[\s]+|(?<=[。！？])|\n+")
_LONGEST: Final = 4000
"""Characters of a text without any end of a sentence that are spoken without waiting for one."""


def plain(text: str, field: str) -> str:
    """A text without control characters, which are commands to the engine; positions stay as they were.

    Raises:
        InvalidRequestError: There is nothing to say.
    """
    text = _CONTROL.sub(" ", text)
    if not text.strip():
        raise InvalidRequestError.at(field, "the text is empty", hint="send some text to speak")
    return text


def decode(data: bytes, field: str) -> str:
    """UTF-8 to text. Raises `InvalidRequestError` when it is not."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError.at(field, f"not UTF-8: byte {error.start} cannot be read as text") from None


def check_ssml(text: str, field: str, speaks: Callable[[str], bool]) -> str:
    """The text again, when it is SSML this provider speaks.

    Raises:
        InvalidRequestError: It is not well-formed, declares a document type, names a voice there is not, or says
            nothing.
    """

    def wrong(description: str) -> InvalidRequestError:
        return InvalidRequestError.at(field, description, hint="<speak>…</speak> holds the text")

    depth = 0
    said = False

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        local = name.rpartition(":")[2]
        if depth == 0 and local != "speak":
            raise wrong(f"the outermost element of SSML is <speak>, not <{local}>")
        if local == "voice" and (voice := attributes.get("name", "")) and not speaks(voice):
            raise wrong(f'there is no voice "{voice}" with a language of its own')
        depth += 1

    def on_text(data: str) -> None:
        nonlocal said
        said = said or bool(data.strip())

    def on_end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def on_doctype(*_: object) -> None:
        raise wrong("SSML with a document type is not taken")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = on_text, on_doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise wrong(f"not well-formed: {what} in line {error.lineno}, column {error.offset + 1}") from None
    if not said:
        raise wrong("the text is empty")
    return text


async def sentences(chunks: AsyncIterator[bytes], field: str) -> AsyncGenerator[str, None]:
    """Cuts a text that still arrives where it can be spoken without waiting for the rest.

    An empty chunk says that what came shall be spoken now. Every character comes out once, in order. Raises
    `InvalidRequestError` for bytes that are not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    waiting = ""
    try:
        async for chunk in chunks:
            waiting += decoder.decode(chunk)
            cut = _last_cut(waiting) if chunk else len(waiting)
            if cut:
                yield waiting[:cut]
                waiting = waiting[cut:]
        waiting += decoder.decode(b"", True)
    except UnicodeDecodeError:
        raise InvalidRequestError.at(field, "not UTF-8: its bytes cannot be read as text") from None
    if waiting:
        yield waiting


def _last_cut(text: str) -> int:
    """Characters that are whole sentences."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return ends[-1]
    return text.rfind(" ", 0, _LONGEST) + 1 if len(text) > _LONGEST else 0
