"""What replies look like before they are sent."""

from __future__ import annotations

import asyncio

import pytest
from mediaconduit_vendors.testing import Close, Pause, Reply, Wait, binary, failure, json_reply, ndjson, sse


def test_events_are_pieces_in_the_format_of_server_sent_events() -> None:
    reply = sse({"a": "ü"}, "[DONE]", ("ping", {}), b": comment\n\n", {"type": "stop"}, names=True)
    assert reply.pieces == [
        'data: {"a":"ü"}\n\n'.encode(),
        b"data: [DONE]\n\n",
        b"event: ping\ndata: {}\n\n",
        b": comment\n\n",
        b'event: stop\ndata: {"type":"stop"}\n\n',
    ]
    assert reply.headers["content-type"].startswith("text/event-stream")


def test_a_text_of_several_lines_is_an_event_of_several_data_fields_with_the_wanted_line_ends() -> None:
    assert sse("a\nb", newline="\r\n").body == b"data: a\r\ndata: b\r\n\r\n"


def test_lines_of_objects_and_whole_objects() -> None:
    assert ndjson({"a": 1}, b"{broken\n").pieces == [b'{"a":1}\n', b"{broken\n"]
    assert (json_reply([1], 201).status, json_reply([1]).body) == (201, b"[1]")


def test_a_refusal_has_json_or_text() -> None:
    assert failure(429, {"e": 1}, {"retry-after": "1"}).headers["retry-after"] == "1"
    assert failure(503, "busy").headers["content-type"].startswith("text/plain")
    assert failure(500).body == b"{}"


@pytest.mark.parametrize(
    ("sizes", "pieces"),
    [(1, [b"a", b"b", b"c", b"d", b"e"]), (2, [b"ab", b"cd", b"e"]), ([1, 3], [b"a", b"bcd", b"e"])],
)
def test_a_body_is_cut_anew(sizes: int | list[int], pieces: list[bytes]) -> None:
    assert Reply(steps=[b"abc", b"de"]).split(sizes).pieces == pieces


def test_a_body_is_cut_at_places() -> None:
    assert Reply(steps=[b"abcde"]).split_at(4, 1, 5, 0).pieces == [b"a", b"bcd", b"e"]


def test_faults_stand_after_so_many_pieces_and_the_rest_follows() -> None:
    reply = Reply(steps=[b"a", b"b", b"c"])
    gate = asyncio.Event()
    assert list(reply.stall(after=2, until=gate).steps) == [b"a", b"b", Wait(gate), b"c"]
    assert list(reply.stall(after=1, until=gate).reset(after=1).steps)[:3] == [b"a", Wait(gate), Close(reset=True)]
    assert list(reply.truncate(after=0).steps) == [Close(), b"a", b"b", b"c"]
    assert list(reply.reset(after=9).steps) == [b"a", b"b", b"c", Close(reset=True)]
    assert list(reply.slow_headers().before) == [Wait()]
    assert list(reply.hang_up().before) == [Close()]


def test_pieces_are_paced_and_gated_between_each_other() -> None:
    reply, gate = Reply(steps=[b"a", b"b", b"c"]), asyncio.Event()
    assert list(reply.paced(0.5).steps) == [b"a", Pause(0.5), b"b", Pause(0.5), b"c"]
    assert list(reply.gated(gate).steps) == [b"a", Wait(gate), b"b", b"c"]


def test_bytes_are_whole_or_in_pieces() -> None:
    assert binary(b"abc", "audio/mpeg").pieces == [b"abc"]
    assert binary(b"abc", "audio/mpeg", piece=2).pieces == [b"ab", b"c"]
    assert binary(b"", "audio/mpeg").pieces == []


def test_headers_are_added() -> None:
    assert sse().with_headers(retry_after="3").headers["retry-after"] == "3"
