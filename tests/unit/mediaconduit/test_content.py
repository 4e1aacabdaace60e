"""What callers may give as input, as turns of parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Media, assistant, system, tool_result, user
from mediaconduit.content import drafts, media_type_of, suffix_of
from mediaconduit.errors import InvalidRequestError
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.uploads import split
from mediaconduit.v1.media_pb2 import (
    ROLE_ASSISTANT,
    ROLE_SYSTEM,
    ROLE_TOOL,
    ROLE_USER,
    Asset,
    Part,
    ToolCall,
    ToolResult,
    Turn,
)


def roles(turns: list[Any]) -> list[int]:
    return [turn.role for turn in turns]


def test_items_join_into_one_turn_of_the_user() -> None:
    (turn,) = drafts(["look", Media(b"x", "image/png"), Path("a.wav"), Asset(uri="assets/1"), Part(text="!")])
    assert turn.role == ROLE_USER
    assert [piece.part.WhichOneof("content") for piece in turn.pieces] == ["text", "data", None, "asset", "text"]
    assert (turn.pieces[2].source, turn.pieces[2].part.media_type) == (Path("a.wav"), "audio/wav")


def test_turns_stay_turns() -> None:
    made = drafts([system("be kind"), user("a"), user("b", name="Bo"), assistant("c"), Turn(role=ROLE_USER), "d"])
    assert roles(made) == [ROLE_SYSTEM, ROLE_USER, ROLE_USER, ROLE_ASSISTANT, ROLE_USER, ROLE_USER]
    assert made[2].name == "Bo"


def test_answers_of_tools_are_a_turn_of_their_own() -> None:
    answer = tool_result(ToolCall(id="1"), "18", Media(b"x", "image/png"), is_error=True)
    made = drafts([answer, ToolResult(call_id="2"), "and now?"])
    assert roles(made) == [ROLE_TOOL, ROLE_USER]
    assert [piece.part.tool_result.call_id for piece in made[0].pieces] == ["1", "2"]
    assert answer.is_error
    assert answer.parts[1].data == b"x"


def test_named_inputs_join_the_last_turn_of_the_user() -> None:
    made = drafts("say it", inputs={"voice": Path("v.mp3"), "style": ["slow", "low"]}, system="x")
    assert roles(made) == [ROLE_SYSTEM, ROLE_USER]
    assert [piece.part.name for piece in made[1].pieces] == ["", "voice", "style", "style"]
    assert roles(drafts(None, inputs={"base": Media(b"", "image/png")})) == [ROLE_USER]
    assert drafts(None) == []


@pytest.mark.parametrize("wrong", [b"bytes", 7, {"a": 1}, object()])
def test_what_is_no_content_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"content: .*Media"):
        drafts(wrong)


def test_a_file_without_a_known_ending_asks_for_its_media_type() -> None:
    with pytest.raises(InvalidRequestError, match=r'inputs\["voice"\].*does not tell a media type'):
        drafts("x", inputs={"voice": Path("sample")})


def test_files_do_not_go_into_tool_results() -> None:
    with pytest.raises(InvalidRequestError, match="no files"):
        tool_result(ToolCall(id="1"), Path("a.png"))


@pytest.mark.parametrize(("name", "media_type"), [("A.WAV", "audio/wav"), ("x.y.mkv", "video/matroska")])
def test_media_types_by_name(name: str, media_type: str) -> None:
    assert media_type_of(Path(name)) == media_type


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [("audio/ogg; codecs=opus", ".ogg"), ("AUDIO/WAV", ".wav"), ("audio/L16; rate=24000", ".pcm"), ("x/y", ".bin")],
)
def test_endings_by_media_type(media_type: str, suffix: str) -> None:
    assert suffix_of(media_type) == suffix


@pytest.mark.parametrize("character", ["a", "ä", "€", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_text_is_cut_between_characters(character: str, shift: int) -> None:
    data = ("x" * shift + character * (CHUNK_BYTES // 2)).encode()
    pieces, rest = split(data, text=True)
    assert b"".join(pieces) + rest == data
    assert rest == b""
    assert all(0 < len(piece) <= CHUNK_BYTES and piece.decode() for piece in pieces)


def test_the_beginning_of_a_character_waits_for_its_end() -> None:
    assert split("a€".encode()[:-1], text=True) == ([b"a"], "€".encode()[:-1])
    assert split(b"\xff\xfe\xfd", text=False) == ([b"\xff\xfe\xfd"], b"")
    assert split(b"\x80" * 10, text=True) == ([b"\x80" * 10], b"")
