"""Listings out of OpenRouter's public list of models (GET /models), which has those of most vendors."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mediaconduit.v1.models_pb2 import Pricing, Rate

from mediaconduit_vendors.prices.listing import Listing

_MILLION: Final = 10**6
_UNITS: Final = {
    "prompt": ("input-token", _MILLION),
    "completion": ("output-token", _MILLION),
    "internal_reasoning": ("reasoning-token", _MILLION),
    "input_cache_read": ("cached-input-token", _MILLION),
    "input_cache_write": ("cache-write-token", _MILLION),
    "input_cache_write_1h": ("cache-write-1h-token", _MILLION),
    "audio": ("input-audio-token", _MILLION),
    "audio_output": ("output-audio-token", _MILLION),
    "input_audio_cache": ("cached-input-audio-token", _MILLION),
    "image_token": ("input-image-token", _MILLION),
    "image": ("input-image", 1),
    "image_output": ("image", 1),
    "request": ("request", 1),
    "web_search": ("search", 1),
}
_ALWAYS: Final = frozenset({"prompt", "completion"})
_FREE_OF_ITSELF: Final = _ALWAYS | {"input_cache_read", "input_cache_write"}
"""What costs nothing where its price is 0; 0 of anything else means that it is counted otherwise."""
_PARAMETERS: Final = {
    "tools": "tools",
    "parallel_tool_calls": "parallel-tools",
    "structured_outputs": "json-schema",
    "reasoning": "reasoning",
    "logprobs": "logprobs",
    "web_search_options": "web-search",
}
_INPUTS: Final = {"image": "vision", "audio": "audio-input", "video": "video-input", "file": "pdf-input"}
_OUTPUTS: Final = {"image": "image-output", "audio": "audio-output"}
_AUTHORS: Final = {"gemini": "google", "mistral": "mistralai", "xai": "x-ai", "azure-openai": "openai"}
"""Vendors under another name there."""


def openrouter_id(vendor: str, model_id: str) -> str:
    """OpenRouter's id of a vendor's model ("x-ai/grok-4"): equal for the same model wherever it is served.

    Vendors that serve others' models ("together", "huggingface") name them "author/model" as it does, but for case.
    """
    if "/" in model_id.removeprefix("models/"):
        return model_id.lower()
    return f"{_AUTHORS.get(vendor, vendor)}/{model_id.removeprefix('models/')}"


def from_openrouter(document: Any, *, source: str = "OpenRouter's list") -> dict[str, Listing]:
    """The listings of a response's body, by OpenRouter's id. Entries that are not as described are left out.

    Args:
        document: The decoded JSON.
        source: Put into `Pricing.source`; say of when it is.
    """
    entries = document.get("data") if isinstance(document, Mapping) else None
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and isinstance(model_id := entry.get("id"), str) and model_id:
            found[model_id] = _listing(model_id, entry, source)
    return found


def _listing(model_id: str, entry: Mapping[str, Any], source: str) -> Listing:
    top, created = _mapping(entry.get("top_provider")), _count(entry.get("created"))
    return Listing(
        model_id=model_id,
        mode="chat",
        context_tokens=_count(entry.get("context_length")) or _count(top.get("context_length")),
        max_output_tokens=_count(top.get("max_completion_tokens")),
        pricing=_pricing(_mapping(entry.get("pricing")), source),
        features=tuple(sorted(_features(entry))),
        retires=_date(entry.get("expiration_date")),
        released=datetime.datetime.fromtimestamp(created, datetime.UTC) if 0 < created < 2**33 else None,
    )


def _features(entry: Mapping[str, Any]) -> set[str]:
    architecture = _mapping(entry.get("architecture"))
    return {
        feature
        for table, values in (
            (_PARAMETERS, entry.get("supported_parameters")),
            (_INPUTS, architecture.get("input_modalities")),
            (_OUTPUTS, architecture.get("output_modalities")),
        )
        for name, feature in table.items()
        if isinstance(values, list) and name in values
    }


def _pricing(prices: Mapping[str, Any], source: str) -> Pricing | None:
    """None where a price depends on the call (a router's is -1) or is missing."""
    known = {key: amount for key in _UNITS if (amount := _amount(prices.get(key))) is not None}
    if not known.keys() >= _ALWAYS or min(known.values()) < 0:
        return None
    rates = [rate for key, amount in known.items() if (rate := _rate(key, amount, {})) is not None]
    rates += _long_prompts(prices.get("overrides"))
    if not any(rate.nano_price for rate in rates):
        rates = []
    return Pricing(currency="USD", rates=rates, source=source)


def _long_prompts(overrides: Any) -> Iterator[Rate]:
    """Rates of long prompts; those of an hour of the day have no place in a price list."""
    for override in overrides if isinstance(overrides, list) else ():
        threshold = override.get("min_prompt_tokens") if isinstance(override, Mapping) else None
        if not isinstance(threshold, int | float) or "utc_start" in override:
            continue
        for key in _UNITS.keys() & override.keys():
            amount = _amount(override[key])
            # There it holds above the threshold; here from it on.
            rate = None if amount is None else _rate(key, amount, {"min-input-tokens": str(int(threshold) + 1)})
            if rate is not None:
                yield rate


def _rate(key: str, amount: Decimal, conditions: Mapping[str, str]) -> Rate | None:
    unit, per = _UNITS[key]
    if not amount and key not in _FREE_OF_ITSELF:
        return None  # not charged apart: an image is counted in its tokens
    return Rate(unit=unit, nano_price=round(amount * per * 10**9), per=per, conditions=conditions)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < 2**53 else 0


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount < _MILLION else None


def _date(value: Any) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(value)
    except (ValueError, TypeError):
        return None
