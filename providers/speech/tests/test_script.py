"""Texts before the engine sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mediaconduit.errors import InvalidRequestError
from speech_provider import script


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_control_characters_become_blanks() -> None:
    assert script.plain("a\x01\x1b50P b\tc\n", "turns[0]") == "a  50P b\tc\n"


@pytest.mark.parametrize("text", ["", "  \n", "\x00\x01"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"turns\[0\]: the text is empty"):
        script.plain(text, "turns[0]")


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="not UTF-8: byte 2"):
        script.decode(b"ab\xff", "turns[0]")


@pytest.mark.parametrize(
    "text",
    [
        "<speak>Hello</speak>",
        '<speak xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en"><voice name="f3">x</voice></speak>',
        "<s:speak xmlns:s='x'>1 &lt; 2</s:speak>",
    ],
)
def test_ssml_is_taken_as_it_is(text: str) -> None:
    assert script.check_ssml(text, "turns[0]", lambda name: name == "f3") == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<speak>Hello", "not well-formed: no element found in line 1, column 13"),
        ("Hello", "not well-formed: syntax error"),
        ("<html>Hello</html>", "the outermost element of SSML is <speak>, not <html>"),
        ("<speak> <break/> </speak>", "the text is empty"),
        ('<speak><voice name="../../x">a</voice></speak>', 'there is no voice "../../x"'),
        ('<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>', "document type"),
    ],
)
def test_what_is_not_ssml_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        script.check_ssml(text, "turns[0]", lambda _name: False)
    assert told in caught.value.fields[0].description


async def pieces(*chunks: bytes) -> list[str]:
    return [piece async for piece in script.sentences(arriving(*chunks), "turns[0]")]


async def test_an_arriving_text_is_cut_after_sentences() -> None:
    assert await pieces(b"One. Tw", b"o! Thr", b"ee") == ["One. ", "Two! ", "Three"]


async def test_a_character_may_come_in_two_halves() -> None:
    encoded = "Süß? 漢。字".encode()
    assert await pieces(*(encoded[i : i + 1] for i in range(len(encoded)))) == ["Süß? ", "漢。", "字"]


async def test_a_flush_says_what_has_come() -> None:
    assert await pieces(b"No end", b"", b" in sight") == ["No end", " in sight"]


async def test_a_text_without_sentences_is_cut_between_words() -> None:
    text = b"word " * 2000
    cut = await pieces(text, b"end")
    assert len(cut) > 1 and "".join(cut) == text.decode() + "end"
    assert all(piece.endswith((" ", "end")) for piece in cut)


async def test_arriving_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="not UTF-8"):
        await pieces(b"a\xffb")
    with pytest.raises(InvalidRequestError, match="not UTF-8"):
        await pieces("ü".encode()[:1])
