"""What a call consumed, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from mediaconduit_provider import Pricing, Usage

from mediaconduit_vendors.prices import cost

_CHARACTERS_PER_TOKEN: Final = 4
"""Of English text with the usual vocabularies; only for what no vendor counted."""
_NANO: Final = Decimal(10**9)


def usage_of(
    units: Mapping[str, int],
    pricing: Pricing | None = None,
    *,
    charged: float | str | None = None,
    facts: Mapping[str, str] | None = None,
    estimated: bool = False,
) -> Usage:
    """Counts by unit, with their cost where it is known.

    Args:
        units: As in ``Rate.unit``; those of 0 are left out.
        pricing: Of the model.
        charged: US dollars, where the vendor says what it charged.
        facts: What conditions of prices speak of ("quality").
        estimated: Counted by us and not by the vendor.
    """
    usage = Usage(units={unit: count for unit, count in units.items() if count}, estimated=estimated)
    if charged is not None:
        usage.nano_cost, usage.currency = int(Decimal(str(charged)) * _NANO), "USD"
    elif pricing is not None and (nano := cost(usage.units, pricing, facts or {})) is not None:
        usage.nano_cost, usage.currency = nano, pricing.currency or "USD"
    return usage


def estimated_usage(read: int, written: int, pricing: Pricing | None = None) -> Usage:
    """Of an answer that was cut before its vendor counted: from characters read and written."""
    units = {
        "input-token": -(-read // _CHARACTERS_PER_TOKEN),
        "output-token": -(-written // _CHARACTERS_PER_TOKEN),
    }
    return usage_of(units, pricing, estimated=True)
