"""Counts of a message, in the contract's units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def units_of(usage: Mapping[str, Any]) -> dict[str, int]:
    """Counts by unit. The vendor's do not overlap; reasoning is in its output tokens, and sold as such."""
    written = usage.get("cache_creation") or {}
    for_an_hour = written.get("ephemeral_1h_input_tokens") or 0
    tools = usage.get("server_tool_use") or {}
    return {
        "input-token": usage.get("input_tokens") or 0,
        "cached-input-token": usage.get("cache_read_input_tokens") or 0,
        "cache-write-token": (usage.get("cache_creation_input_tokens") or 0) - for_an_hour,
        "cache-write-1h-token": for_an_hour,
        "output-token": usage.get("output_tokens") or 0,
        "search": tools.get("web_search_requests") or 0,
    }


def facts_of(usage: Mapping[str, Any]) -> dict[str, str]:
    """What prices may depend on."""
    tier = usage.get("service_tier")
    return {"service_tier": tier} if isinstance(tier, str) else {}
