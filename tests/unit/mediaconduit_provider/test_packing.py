from __future__ import annotations

import pytest
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1.events_pb2 import TransformEvent
from mediaconduit_provider.packing import Packer, Target, split_surrogates, well_formed


def completed(index: int) -> TransformEvent:
    event = TransformEvent()
    event.output_completed.index = index
    return event


def texts(packer: Packer, *items: str | bytes | Target | TransformEvent) -> list[str]:
    return [event.output_delta.text for event in packer.pack(list(items)).events if event.HasField("output_delta")]


def test_neighbouring_text_of_one_output_is_one_delta() -> None:
    response = Packer().pack([Target(2), "a", "b", "c"])
    assert [(e.sequence, e.output_delta.index, e.output_delta.text) for e in response.events] == [(1, 2, "abc")]


def test_nothing_is_joined_across_outputs_or_other_events() -> None:
    response = Packer().pack([Target(0), "a", Target(1), "b", completed(1), Target(0), "c"])
    got = [(e.sequence, e.output_delta.index, e.output_delta.text) for e in response.events]
    assert got == [(1, 0, "a"), (2, 1, "b"), (3, 0, ""), (4, 0, "c")]


def test_the_sequence_and_the_output_go_on_from_message_to_message() -> None:
    packer = Packer()
    packer.pack([Target(3), "a"])
    (event,) = packer.pack(["b"]).events
    assert (event.sequence, event.output_delta.index) == (2, 3)


def test_neighbouring_data_is_joined_up_to_a_chunk() -> None:
    half = b"x" * (CHUNK_BYTES // 2)
    sizes = [len(event.output_delta.data) for event in Packer().pack([half, half, b"y", half]).events]
    assert sizes == [CHUNK_BYTES, CHUNK_BYTES // 2 + 1]


def test_a_character_in_two_halves_is_held_back_until_it_is_whole() -> None:
    packer = Packer()
    assert texts(packer, "a\ud83d") == ["a"]
    assert texts(packer, "\ude00b") == ["\U0001f600b"]
    response = packer.pack(["c"])
    assert response.events[0].sequence == 3


def test_a_message_that_holds_only_half_a_character_is_empty() -> None:
    packer = Packer()
    assert texts(packer, "\ud83d") == []
    assert packer.pack(["\ude00"]).events[0].sequence == 1


def test_halves_of_different_outputs_are_not_put_together() -> None:
    packer = Packer()
    texts(packer, Target(0), "\ud83d", Target(1), "\ud83c")
    assert texts(packer, Target(0), "\ude00") == ["\U0001f600"]


def test_a_half_that_never_gets_its_other_half_is_replaced_at_the_end() -> None:
    response = Packer().pack([Target(0), "a\ud83d", completed(0)])
    assert [event.output_delta.text for event in response.events] == ["a", "\ufffd", ""]
    assert [event.sequence for event in response.events] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "whole", "half"),
    [
        ("a\ud83d", "a", "\ud83d"),
        ("\ud83d\ude00", "\U0001f600", ""),
        ("\ude00a", "\ufffda", ""),
        ("\ud83db", "\ufffdb", ""),
        ("\ud83d\ud83d", "\ufffd", "\ud83d"),
    ],
)
def test_surrogates_are_put_together_replaced_or_kept(text: str, whole: str, half: str) -> None:
    assert split_surrogates(text) == (whole, half)


def test_well_formed_text_is_left_alone() -> None:
    assert well_formed("\U0001f600é") == "\U0001f600é"
    assert well_formed("a\ud83d") == "a\ufffd"
