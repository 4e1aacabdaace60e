"""Answers said in other ways are still the same answers."""

from __future__ import annotations

import json

from mediaconduit_vendors.testing import binary, json_reply, ndjson, sse

from tests.integration.vendors.variants import NEWS, with_news


def test_events_get_members_comments_other_line_ends_and_a_new_kind() -> None:
    first, new, last = with_news(sse({"type": "a"}, "[DONE]", names=True)).pieces
    assert first.startswith(b": keep-alive\r\n\r\nevent: a\r\ndata: {")
    assert json.loads(first.decode().partition("data: ")[2]) == {**NEWS, "type": "a"}
    assert b"made_up.kind" in new
    assert last == b": keep-alive\r\n\r\ndata: [DONE]\r\n\r\n"


def test_events_without_names_get_no_new_kind() -> None:
    assert len(with_news(sse({"a": 1}, {"a": 2})).pieces) == 2


def test_objects_get_members_and_keep_their_own() -> None:
    assert json.loads(with_news(json_reply({"made_up_null": 1})).body) == {**NEWS, "made_up_null": 1}
    lines = with_news(ndjson({"a": 1}, b"broken\n")).pieces
    assert (json.loads(lines[0]), lines[0][-1:], lines[1]) == ({**NEWS, "a": 1}, b"\n", b"broken\n")


def test_whatever_else_it_is_stays() -> None:
    audio = binary(b"abc", "audio/mpeg")
    assert with_news(audio) is audio
    assert with_news(json_reply([1])).body == b"[1]"
