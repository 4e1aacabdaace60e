"""Finding voices by what callers say."""

from __future__ import annotations

import pytest
from mediaconduit.errors import InvalidRequestError
from mediaconduit_provider import VoiceOrigin
from speech_provider.pool import Engine
from speech_provider.voices import Catalog

FOUND = [
    {
        "identifier": "gmw/en-US",
        "name": "English (America)",
        "languages": [[2, "en-us"], [3, "en"]],
        "gender": 1,
        "age": 0,
    },
    {
        "identifier": "gmw/en",
        "name": "English (Great Britain)",
        "languages": [[2, "en-gb"], [2, "en"]],
        "gender": 1,
        "age": 0,
    },
    {"identifier": "gmw/de", "name": "German", "languages": [[5, "de"]], "gender": 1, "age": 0},
    {"identifier": "!v/f3", "name": "female3", "languages": [[5, "variant"]], "gender": 2, "age": 0},
    {"identifier": "!v/Mr serious", "name": "Mr_Serious", "languages": [[5, "variant"]], "gender": 1, "age": 40},
]


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.from_engine(FOUND)


@pytest.mark.parametrize(
    ("voice", "language", "engine_name", "spoken"),
    [
        ("", "", "gmw/en-US", "en-us"),
        ("", "de", "gmw/de", "de"),
        ("", "de-AT-1996", "gmw/de", "de"),
        ("", "EN_gb", "gmw/en", "en-gb"),
        ("", "en", "gmw/en", "en-gb"),
        ("EN-us", "", "gmw/en-US", "en-us"),
        ("German", "", "gmw/de", "de"),
        ("providers/speech/voices/de", "", "gmw/de", "de"),
        ("en-US", "en", "gmw/en-US", "en-us"),
        ("en-US", "en-US", "gmw/en-US", "en-us"),
        ("f3", "", "gmw/en-US+f3", "en-us"),
        ("f3", "de", "gmw/de+f3", "de"),
        ("de+f3", "", "gmw/de+f3", "de"),
        ("+f3", "de", "gmw/de+f3", "de"),
        ("Mr-serious", "", "gmw/en-US+Mr serious", "en-us"),
    ],
)
def test_choosing(catalog: Catalog, voice: str, language: str, engine_name: str, spoken: str) -> None:
    choice = catalog.choose(voice, language, "en-US")
    assert (choice.engine_name, choice.language) == (engine_name, spoken)


@pytest.mark.parametrize(
    ("voice", "language", "field", "told"),
    [
        ("germann", "", "options.audio.voice", "nearest: de"),
        ("de+f33", "", "options.audio.voice", "nearest: f3"),
        ("f3+de", "", "options.audio.voice", "not a voice of a language"),
        ("de+en-US", "", "options.audio.voice", "not a voice of a language"),
        ("../../etc/passwd", "", "options.audio.voice", "there is no voice"),
        ("", "dx", "options.audio.language", "nearest: de"),
        ("de", "en", "options.audio.language", "speaks de"),
        ("en-US", "en-GB", "options.audio.language", "speaks en-us, en"),
    ],
)
def test_refusing(catalog: Catalog, voice: str, language: str, field: str, told: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        catalog.choose(voice, language, "en-US")
    (violation,) = caught.value.fields
    assert violation.field == field
    assert told in violation.description


@pytest.mark.parametrize(
    ("voice", "speaks"),
    [("de", True), ("DE+f3", True), ("German", True), ("f3", False), ("de+en-US", False), ("de+", False), ("x", False)],
)
def test_ssml_may_name_voices_that_have_a_language(catalog: Catalog, voice: str, speaks: bool) -> None:
    assert catalog.speaks(voice) is speaks


def test_listing(catalog: Catalog) -> None:
    voices = {voice.name: voice for voice in catalog.voices()}
    assert list(voices) == ["en-US", "en", "de", "f3", "Mr-serious"]
    assert voices["en-US"].languages == ["en-us", "en"]
    assert voices["f3"].languages == [] and voices["f3"].labels == {"gender": "female"}
    assert voices["Mr-serious"].labels == {"gender": "male", "age": "40"}
    assert {voice.origin for voice in voices.values()} == {VoiceOrigin.VOICE_ORIGIN_BUILT_IN}


async def test_every_voice_of_the_real_engine_has_an_id_of_its_own(engine: Engine) -> None:
    entries = Catalog.from_engine(await engine.voices()).entries
    ids = [entry.id.lower() for entry in entries]
    assert len(set(ids)) == len(ids) > 200
    assert len({language for entry in entries for language in entry.languages}) > 100
    assert not any(set("/ ") & set(name) for name in ids)


async def test_a_voice_without_a_matching_name_is_told_the_nearest_real_ones(engine: Engine) -> None:
    catalog = Catalog.from_engine(await engine.voices())
    assert "en-US" in catalog.nearest("en-USA")
