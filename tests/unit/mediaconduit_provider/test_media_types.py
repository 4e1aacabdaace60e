from __future__ import annotations

import pytest
from mediaconduit_provider.media_types import is_text, matches


@pytest.mark.parametrize(
    ("pattern", "media_type", "expected"),
    [
        ("audio/*", "audio/wav", True),
        ("*/*", "audio/wav", True),
        ("audio/wav", "AUDIO/WAV", True),
        ("audio/*", "audiox/wav", False),
        ("audio/wav", "audio/mpeg", False),
        ("audio/L16", "audio/L16; rate=24000", True),
        ("audio/L16; rate=24000", "audio/l16;rate=24000; channels=1", True),
        ("audio/L16; rate=24000", "audio/L16; rate=16000", False),
        ("audio/L16; rate=24000", "audio/L16", True),
        ('text/plain; charset="UTF-8"', "text/plain; charset=utf-8", True),
    ],
)
def test_patterns_match_types_with_their_parameters(pattern: str, media_type: str, expected: bool) -> None:
    assert matches(pattern, media_type) is expected


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("text/vtt", True), ("application/json; x=1", True), ("application/ssml+json", True), ("audio/wav", False)],
)
def test_text_is_told_from_data(media_type: str, expected: bool) -> None:
    assert is_text(media_type) is expected
