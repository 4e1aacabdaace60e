"""Marks of the engine to segments with times."""

from __future__ import annotations

from mediaconduit_provider import Segment
from speech_provider.espeak import END, SENTENCE, WORD, Mark
from speech_provider.timeline import Timeline

RATE = 1000


def seconds(segment: Segment) -> tuple[float, float]:
    return segment.start_offset.ToMilliseconds() / 1000, segment.end_offset.ToMilliseconds() / 1000


def test_sentences_become_segments_with_words() -> None:
    timeline = Timeline("Hi you, there. Bye!", RATE, words=True, offset=500, speaker="Ann", first_id=3)
    assert not timeline.feed(
        [Mark(SENTENCE, 0, 0, 0), Mark(WORD, 0, 2, 0), Mark(WORD, 3, 3, 200), Mark(END, 7, 0, 400)]
    )
    (first,) = timeline.feed([Mark(WORD, 8, 5, 450), Mark(END, 14, 0, 800), Mark(SENTENCE, 15, 0, 900)])
    assert not timeline.feed([Mark(WORD, 15, 3, 900)])
    (second,) = timeline.finish(1900)

    assert (first.text, first.id, first.speaker, seconds(first)) == ("Hi you, there.", "3", "Ann", (0.5, 1.3))
    assert [(w.text, seconds(w)) for w in first.words] == [
        ("Hi", (0.5, 0.7)),
        ("you", (0.7, 0.9)),
        ("there", (0.95, 1.3)),
    ]
    assert (second.text, second.id, seconds(second)) == ("Bye!", "4", (1.4, 1.9))
    assert timeline.next_id == 5


def test_a_number_spoken_as_several_words_is_one() -> None:
    timeline = Timeline("of 1234.", RATE, words=True)
    timeline.feed([Mark(WORD, 0, 2, 0), Mark(WORD, 3, 4, 100), Mark(WORD, 4, 4, 200), Mark(WORD, 4, 4, 300)])
    timeline.feed([Mark(END, 8, 0, 400)])
    (segment,) = timeline.finish(500)
    assert [(word.text, seconds(word)) for word in segment.words] == [("of", (0, 0.1)), ("1234", (0.1, 0.4))]


def test_without_words_only_sentences_have_times() -> None:
    timeline = Timeline("Hi.", RATE, words=False)
    timeline.feed([Mark(WORD, 0, 2, 0)])
    (segment,) = timeline.finish(100)
    assert segment.text == "Hi." and not segment.words


def test_markup_is_not_part_of_the_text() -> None:
    timeline = Timeline("<speak>Hi <b>you</b></speak>", RATE, words=False, markup=True)
    timeline.feed([Mark(WORD, 7, 2, 0), Mark(WORD, 13, 3, 50)])
    (segment,) = timeline.finish(100)
    assert segment.text == "Hi you"


def test_a_text_without_words_has_no_segment() -> None:
    timeline = Timeline("...", RATE, words=True)
    timeline.feed([Mark(SENTENCE, 0, 0, 0), Mark(END, 3, 0, 10)])
    assert timeline.finish(10) == []
