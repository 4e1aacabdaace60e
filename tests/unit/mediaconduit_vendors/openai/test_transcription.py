from typing import Any

import pytest
from mediaconduit.errors import InternalError
from mediaconduit_vendors.openai.languages import tag_of
from mediaconduit_vendors.openai.transcription import last_moment, primary, transcript_of, transcription_units


@pytest.mark.parametrize(
    ("answer", "segments"),
    [
        ("plain text", [("plain text", 0, [])]),
        ({"text": "no times"}, [("no times", 0, [])]),
        ({"text": "", "segments": None, "words": None}, [("", 0, [])]),
        (
            {
                "text": "a b c",
                "segments": [{"text": "a b", "start": 0, "end": 2}, {"text": " c", "start": 2, "end": 3}],
                "words": [
                    {"word": "a", "start": 0, "end": 1},
                    {"word": "b", "start": 1.9, "end": 2.1},
                    {"word": "c", "start": 2, "end": 3},
                ],
            },
            [("a b", 0, ["a", "b"]), (" c", 2, ["c"])],
        ),
        ({"text": "a", "words": [{"word": "a", "start": 1, "end": 2}]}, [("a", 0, ["a"])]),
    ],
)
def test_a_transcript_has_its_words_in_their_segments(answer: Any, segments: list[tuple[str, int, list[str]]]) -> None:
    found = transcript_of(answer).segments
    assert [(s.text, s.start_offset.seconds, [word.text for word in s.words]) for s in found] == segments


@pytest.mark.parametrize("answer", [None, [], {}, {"error": "no"}])
def test_what_is_no_transcript_is_not_understood(answer: Any) -> None:
    with pytest.raises(InternalError):
        transcript_of(answer)


@pytest.mark.parametrize(
    ("answer", "units"),
    [
        ({"usage": {"type": "duration", "seconds": 3.5}}, {"input-audio-millisecond": 3500}),
        ({"duration": 2}, {"input-audio-millisecond": 2000}),
        (
            {"duration": 2, "usage": {"type": "tokens", "input_tokens": 10, "output_tokens": 3}},
            {"input-token": 10, "input-audio-token": 0, "output-token": 3},
        ),
        (
            {"usage": {"input_tokens": 10, "output_tokens": 3, "input_token_details": {"audio_tokens": 8}}},
            {"input-token": 2, "input-audio-token": 8, "output-token": 3},
        ),
        ({}, {"input-token": 0, "input-audio-token": 0, "output-token": 0}),
    ],
)
def test_what_is_charged_is_counted(answer: dict[str, Any], units: dict[str, int]) -> None:
    assert transcription_units(answer) == units


def test_languages_have_tags() -> None:
    assert [tag_of(name) for name in ("english", "German", "javanese", "xx", "")] == ["en", "de", "jv", "xx", ""]
    assert [primary(tag) for tag in ("de-CH", "EN", "yue")] == ["de", "en", "yue"]


def test_subtitles_tell_how_long_the_speech_was() -> None:
    srt = "1\n00:00:00,000 --> 00:00:02,500\nHi\n\n2\n00:00:03,000 --> 01:02:03,004\nBye\n"
    assert last_moment(srt) == 3_723_004
    assert last_moment("WEBVTT\n\n00:00.000 --> 00:01.250\nHi\n") == 1250
    assert last_moment("WEBVTT\n") == 0
