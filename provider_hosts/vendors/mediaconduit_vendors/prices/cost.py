"""What a call costs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from mediaconduit.v1.models_pb2 import Pricing, Rate

_MINIMUM: Final = "min-input-tokens"
_WHOLE: Final = {
    "reasoning-token": "output-token",
    "output-audio-token": "output-token",
    "output-image-token": "output-token",
    "cached-input-token": "input-token",
    "cache-write-token": "input-token",
    "input-audio-token": "input-token",
    "input-image-token": "input-token",
    "input-video-token": "input-token",
    "cache-write-1h-token": "cache-write-token",
    "cached-input-audio-token": "cached-input-token",
    "cached-input-image-token": "cached-input-token",
}
"""What a unit without any rate of its own is charged as: vendors name a price of a part only where it differs."""


def cost(units: Mapping[str, int], pricing: Pricing | None, facts: Mapping[str, str] | None = None) -> int | None:
    """The price of counted units in billionths of the currency, rounded half up once, at the end.

    Of a unit's rates the one with most conditions met holds; between equals, the one from more input tokens on.

    Args:
        units: What was counted, by the units of the contract's ``Rate``; they do not overlap.
        pricing: The model's; None = unknown.
        facts: What rates may depend on: options of the call by their names ("quality": "high", "service_tier": "flex").

    Returns:
        None when it cannot be known: no price list, or none for a unit of which there were any.
    """
    if pricing is None:
        return None
    if not pricing.rates:
        return 0
    known = facts or {}
    tokens = sum(count for unit, count in units.items() if _is_input(unit))
    total = Fraction(0)
    for unit, count in units.items():
        if not count:
            continue
        met = [rate for rate in _rates(pricing, unit) if _holds(rate, known, tokens)]
        if not met:
            return None
        rate = max(met, key=_weight)
        total += Fraction(count * rate.nano_price, rate.per or 1)
    return int(total + Fraction(1, 2))


def _rates(pricing: Pricing, unit: str) -> list[Rate]:
    """Of the unit, else of what it is a part of."""
    rates = [rate for rate in pricing.rates if rate.unit == unit]
    return rates or (_rates(pricing, _WHOLE[unit]) if unit in _WHOLE else [])


def _is_input(unit: str) -> bool:
    """Whether it counts towards the tokens a prompt has."""
    return unit.endswith("-token") and (unit.startswith(("input-", "cached-input-", "cache-write-")))


def _holds(rate: Rate, facts: Mapping[str, str], tokens: int) -> bool:
    return all(
        tokens >= int(wanted) if name == _MINIMUM else facts.get(name) == wanted
        for name, wanted in rate.conditions.items()
    )


def _weight(rate: Rate) -> tuple[int, int]:
    return len(rate.conditions), int(rate.conditions.get(_MINIMUM, "0"))
