from pathlib import Path

import pytest
from mediaconduit_broker.cli.suffix import wanted_type

OFFERED = ["audio/wav", "audio/mpeg", "audio/L16; rate=22050; channels=1", "audio/flac"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mp3", "audio/mpeg"), ("a.MP3", "audio/mpeg"), ("a.wav", None), ("a.png", None), ("a", None), ("a.odd", None)],
)
def test_the_suffix_chooses_among_what_the_model_makes(name: str, expected: str | None) -> None:
    assert wanted_type(Path(name), OFFERED) == expected


def test_a_model_that_offers_nothing_is_left_alone() -> None:
    assert wanted_type(Path("a.mp3"), []) is None
