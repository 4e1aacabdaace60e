"""Counts of tokens, in the contract's units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

_READ: Final = {"AUDIO": "input-audio-token", "IMAGE": "input-image-token"}
_WRITTEN: Final = {"AUDIO": "output-audio-token", "IMAGE": "output-image-token"}


def units_of(usage: Mapping[str, Any], searches: int = 0) -> dict[str, int]:
    """Counts by unit. The vendor's totals include their parts; ours do not overlap.

    Args:
        usage: "usageMetadata".
        searches: Queries that the vendor searched for.
    """
    read, written = usage.get("promptTokenCount") or 0, usage.get("candidatesTokenCount") or 0
    cached = usage.get("cachedContentTokenCount") or 0
    seen = _by_modality(usage.get("promptTokensDetails"), _READ)
    kept = _by_modality(usage.get("cacheTokensDetails"), _READ)
    made = _by_modality(usage.get("candidatesTokensDetails"), _WRITTEN)
    # What is counted as cached is not counted as heard or seen again.
    fresh = {unit: max(0, count - kept[unit]) for unit, count in seen.items()}
    units = {
        **fresh,
        **made,
        "input-token": read - cached - sum(fresh.values()) + (usage.get("toolUsePromptTokenCount") or 0),
        "cached-input-token": cached,
        "output-token": written - sum(made.values()),
        "reasoning-token": usage.get("thoughtsTokenCount") or 0,
        "search": searches,
    }
    return {unit: max(0, count) for unit, count in units.items()}


def _by_modality(details: Iterable[Mapping[str, Any]] | None, units: Mapping[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in details or ():
        if (unit := units.get(each.get("modality", ""))) is not None:
            found[unit] += each.get("tokenCount") or 0
    return found


def facts_of(usage: Mapping[str, Any]) -> dict[str, str]:
    """What prices may depend on."""
    tier = usage.get("serviceTier")
    return {"service_tier": tier} if isinstance(tier, str) and tier != "unspecified" else {}
