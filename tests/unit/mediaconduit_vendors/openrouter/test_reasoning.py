"""Reasoning out of the pieces of a stream, as it has to go back."""

from __future__ import annotations

from typing import Any

from mediaconduit_vendors.openrouter.reasoning import Details


def text(words: str, index: int | None = 0, **more: Any) -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return {"type": "reasoning.text", "text": words, "format": "anthropic-claude-v1", **place, **more}


def sealed(data: str, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.encrypted", "data": data, **more}


def whole(*pieces: dict[str, Any]) -> list[dict[str, Any]]:
    details = Details()
    for piece in pieces:
        details.add([piece])
    return details.whole


def test_text_grows_and_its_signature_comes_last() -> None:
    pieces = [text("They "), text("say hi."), text("", signature="c2ln")]
    assert whole(*pieces) == [text("They say hi.", signature="c2ln")]


def test_what_is_null_later_does_not_undo_what_was_said() -> None:
    assert whole(text("a", signature="s1"), text("", signature=None)) == [text("a", signature="s1")]


def test_another_index_is_another_block() -> None:
    assert whole(text("a", 0), text("b", 1)) == [text("a", 0), text("b", 1)]


def test_a_signature_ends_a_block_where_there_are_no_indexes() -> None:
    pieces = [text("a", None, signature="s1"), text("b", None), text("", None, signature="s2")]
    assert whole(*pieces) == [text("a", None, signature="s1"), text("b", None, signature="s2")]


def test_sealed_pieces_stay_apart_unless_they_say_that_they_belong_together() -> None:
    assert whole(sealed("x"), sealed("y")) == [sealed("x"), sealed("y")]
    assert whole(sealed("x", index=1), sealed("y", index=1)) == [sealed("xy", index=1)]
    assert whole(sealed("x", id="a", index=1), sealed("y", id="b", index=1)) == [
        sealed("x", id="a", index=1),
        sealed("y", id="b", index=1),
    ]


def test_what_is_unknown_is_kept_as_it_came() -> None:
    piece = {"type": "reasoning.made_up", "thing": [1]}
    assert whole(text("a"), piece, piece) == [text("a"), piece, piece]


def test_people_read_texts_and_summaries() -> None:
    details = Details()
    summary = {"type": "reasoning.summary", "summary": "short", "index": 2}
    assert details.add([text("long, "), sealed("x"), summary, {"type": None}]) == "long, short"
