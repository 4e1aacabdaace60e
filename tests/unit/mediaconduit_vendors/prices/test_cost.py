from __future__ import annotations

import pytest
from mediaconduit.v1.models_pb2 import Pricing, Rate
from mediaconduit_vendors.prices import cost, lookup

LONG = {"min-input-tokens": "200001"}
FLEX = {"service_tier": "flex"}
TIERS = Pricing(
    currency="USD",
    rates=[
        Rate(unit="input-token", nano_price=1_250_000_000, per=1_000_000),
        Rate(unit="input-token", nano_price=2_500_000_000, per=1_000_000, conditions=LONG),
        Rate(unit="input-token", nano_price=4_000_000_000, per=1_000_000, conditions={"min-input-tokens": "500000"}),
        Rate(unit="input-token", nano_price=600_000_000, per=1_000_000, conditions=FLEX),
        Rate(unit="input-token", nano_price=1_200_000_000, per=1_000_000, conditions=FLEX | LONG),
        Rate(unit="cached-input-token", nano_price=100_000_000, per=1_000_000),
        Rate(unit="image", nano_price=7),
    ],
)


@pytest.mark.parametrize(
    ("units", "facts", "nano"),
    [
        ({"input-token": 1000}, {}, 1_250_000),
        ({"input-token": 200_000}, {}, 250_000_000),
        ({"input-token": 200_001}, {}, 500_002_500),
        ({"input-token": 1, "cached-input-token": 200_000}, {}, 20_002_500),
        ({"input-token": 500_000}, {}, 2_000_000_000),
        ({"input-token": 1000}, FLEX, 600_000),
        ({"input-token": 300_000}, FLEX, 360_000_000),
        ({"input-token": 1000}, {"service_tier": "other"}, 1_250_000),
        ({"image": 3}, {}, 21),
        ({}, {}, 0),
        ({"input-token": 0, "nonesuch": 0}, {}, 0),
        ({"input-token": 1, "nonesuch": 1}, {}, None),
    ],
)
def test_the_rate_with_most_conditions_met_holds(
    units: dict[str, int], facts: dict[str, str], nano: int | None
) -> None:
    assert cost(units, TIERS, facts) == nano


def test_what_is_free_costs_nothing_and_what_is_unknown_is_not_guessed() -> None:
    assert cost({"input-token": 10**9}, Pricing(currency="USD")) == 0
    assert cost({"input-token": 1}, None) is None


def test_it_is_rounded_once_at_the_end() -> None:
    thirds = Pricing(rates=[Rate(unit=unit, nano_price=1, per=3) for unit in "abc"])
    assert cost({"a": 1, "b": 1, "c": 1}, thirds) == 1
    assert cost({"a": 1}, thirds) == 0
    assert cost({"a": 2}, thirds) == 1


def test_large_counts_stay_exact() -> None:
    assert cost({"image": 2**62 + 1}, TIERS) == 7 * (2**62 + 1)


@pytest.mark.parametrize(
    ("vendor", "model", "units", "facts", "dollars"),
    [
        ("openai", "gpt-4o", {"input-token": 10**6, "output-token": 10**6}, {}, 12.5),
        ("openai", "gpt-4o", {"input-token": 10**6}, {"service_tier": "priority"}, 4.25),
        ("anthropic", "claude-sonnet-4-5", {"input-token": 10**6, "cache-write-1h-token": 10**6}, {}, 9.0),
        ("gemini", "gemini-2.5-pro", {"input-token": 200_000}, {}, 0.25),
        ("gemini", "gemini-2.5-pro", {"input-token": 400_000}, {}, 1.0),
        ("gemini", "veo-3.1-fast-generate-001", {"video-millisecond": 8000}, {"resolution": "4k"}, 2.4),
        ("openai", "whisper-1", {"input-audio-millisecond": 60_000}, {}, 0.006),
        ("openai", "gpt-image-1.5", {"image": 1}, {"quality": "high", "size": "1024x1024"}, 0.133),
        ("elevenlabs", "eleven_v3", {"character": 1000}, {}, 0.08),
        ("mistral", "mistral-ocr-latest", {"page": 1000}, {}, 4.0),
        ("openai", "omni-moderation-latest", {"input-token": 1000}, {}, 0.0),
    ],
)
def test_bundled_prices_are_what_the_vendors_say(
    vendor: str, model: str, units: dict[str, int], facts: dict[str, str], dollars: float
) -> None:
    listing = lookup(vendor, model)
    assert listing is not None
    assert cost(units, listing.pricing, facts) == round(dollars * 10**9)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("reasoning-token", "output-token"),
        ("output-audio-token", "output-token"),
        ("cache-write-token", "input-token"),
        ("cache-write-1h-token", "input-token"),
        ("input-image-token", "input-token"),
        ("input-audio-token", "input-token"),
        ("cached-input-audio-token", "cached-input-token"),
    ],
)
def test_a_part_without_a_price_of_its_own_is_charged_as_the_whole(part: str, whole: str) -> None:
    listing = lookup("openai", "gpt-4o")
    assert listing is not None
    for facts in ({}, {"service_tier": "priority"}):
        nano = cost({part: 1000}, listing.pricing, facts)
        assert nano == cost({whole: 1000}, listing.pricing, facts)
        assert nano


def test_what_is_no_part_of_anything_needs_a_price_of_its_own() -> None:
    listing = lookup("openai", "gpt-4o")
    assert listing is not None
    assert cost({"image": 1}, listing.pricing) is None
