"""What broker and keeper say to each other, case by case."""

import json
import struct
from typing import Any

import pytest
from mediaconduit_broker.keeper.protocol import MAX_FRAME, OPERATIONS, Frames, ProtocolError, Request, frame, parse

SPAWN = {"instance": "a", "command": ["x"], "cwd": "/", "environ": {"A": "b"}, "folders": ["/tmp/f"]}
GOOD: dict[str, dict[str, Any]] = {
    "hello": {"protocol": 1, "lease": 0.5},
    "spawn": SPAWN,
    "list": {},
    "kill": {"instance": "a", "signal": "TERM"},
    "forget": {"instance": "a"},
    "follow": {"instance": "a"},
    "watch": {},
    "renew": {},
    "shutdown": {},
}


def test_every_operation_has_a_case() -> None:
    assert set(GOOD) == set(OPERATIONS)


@pytest.mark.parametrize("op", GOOD)
def test_a_request_with_all_its_fields_is_one(op: str) -> None:
    assert parse({"id": 3, "op": op, **GOOD[op], "unknown": 1}) == Request(3, op, GOOD[op])


@pytest.mark.parametrize(("op", "field"), [(op, field) for op in GOOD for field in GOOD[op]])
@pytest.mark.parametrize("wrong", ["missing", None, True])
def test_a_field_that_is_missing_or_of_another_type_is_named(op: str, field: str, wrong: object) -> None:
    message = {"id": 3, "op": op, **GOOD[op], field: wrong}
    if wrong == "missing":
        del message[field]
    with pytest.raises(ProtocolError, match=field) as caught:
        parse(message)
    assert caught.value.number == 3


@pytest.mark.parametrize(
    ("message", "said", "number"),
    [
        ({}, "whole number", None),
        ({"id": "1", "op": "list"}, "whole number", None),
        ({"id": True, "op": "list"}, "whole number", None),
        ({"id": 1}, "no operation None", 1),
        ({"id": 1, "op": "fly"}, "no operation 'fly'", 1),
        ({"id": 1, "op": ["list"]}, "no operation", 1),
        ({"id": 1, "op": "kill", "instance": "a", "signal": "STOP"}, "TERM or KILL", 1),
        ({"id": 1, "op": "hello", "protocol": 1, "lease": 0}, "above 0", 1),
        ({"id": 1, "op": "hello", "protocol": 1, "lease": float("nan")}, "above 0", 1),
        ({"id": 1, "op": "spawn", **SPAWN, "command": []}, "of strings", 1),
        ({"id": 1, "op": "spawn", **SPAWN, "command": ["x", 1]}, "of strings", 1),
        ({"id": 1, "op": "spawn", **SPAWN, "environ": {"A": None}}, "of strings", 1),
        ({"id": 1, "op": "spawn", **SPAWN, "folders": ["a\0b"]}, "of strings", 1),
    ],
)
def test_what_is_no_request_says_why(message: dict[str, Any], said: str, number: int | None) -> None:
    with pytest.raises(ProtocolError, match=said) as caught:
        parse(message)
    assert caught.value.number == number


@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_frames_are_found_however_they_are_cut(step: int) -> None:
    messages: list[dict[str, Any]] = [{"id": 1}, {}, {"text": "ä\udc80\n\0"}, {"id": 2, "list": [1, [2]]}]
    stream = b"".join(map(frame, messages))
    frames = Frames()
    found = [one for at in range(0, len(stream), step) for one in frames.feed(stream[at : at + step])]
    assert found == messages


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (struct.pack(">I", MAX_FRAME + 1), "too large"),
        (struct.pack(">I", 3) + b"{,}", "not JSON"),
        (struct.pack(">I", 1) + b"\xff", "not JSON"),
        (struct.pack(">I", 2) + b"[]", "not an object"),
    ],
)
def test_what_is_no_frame_says_why(data: bytes, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        Frames().feed(data)


def test_a_message_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    empty = len(json.dumps({"x": ""}, separators=(",", ":")))
    largest = {"x": "y" * (MAX_FRAME - empty)}
    assert Frames().feed(frame(largest)) == [largest]
    with pytest.raises(ProtocolError, match="too large"):
        frame({"x": largest["x"] + "y"})
