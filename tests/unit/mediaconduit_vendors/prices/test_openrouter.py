from __future__ import annotations

from typing import Any

import pytest
from mediaconduit_vendors.prices import cost, from_openrouter, lookup, openrouter_id

MODEL: dict[str, Any] = {
    "id": "x-ai/grok-9",
    "created": 1692901234,
    "context_length": 256000,
    "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    "supported_parameters": ["tools", "structured_outputs", "temperature", "reasoning"],
    "top_provider": {"max_completion_tokens": 30000, "is_moderated": False},
    "expiration_date": "2027-01-31",
    "pricing": {
        "prompt": "0.000003",
        "completion": "0.000015",
        "image": "0",
        "request": "0",
        "web_search": "0.01",
        "input_cache_read": "0.0000003",
        "overrides": [
            {"min_prompt_tokens": 200000, "prompt": "0.000006"},
            {"utc_start": 100, "utc_end": 400, "prompt": "0.000001"},
        ],
    },
}


def listed(**changes: Any) -> Any:
    return from_openrouter({"data": [MODEL | changes]})["x-ai/grok-9"]


def test_what_the_list_says_of_a_model() -> None:
    listing = listed()
    assert (listing.context_tokens, listing.max_output_tokens) == (256000, 30000)
    assert listing.features == ("json-schema", "pdf-input", "reasoning", "tools", "vision")
    assert listing.retires.isoformat() == "2027-01-31"
    assert listing.released.isoformat() == "2023-08-24T18:20:34+00:00"
    units = {"input-token": 1000, "cached-input-token": 1000, "output-token": 100, "reasoning-token": 100, "search": 1}
    assert cost(units, listing.pricing) == 3_000_000 + 300_000 + 1_500_000 + 1_500_000 + 10_000_000
    assert cost({"input-token": 200_000}, listing.pricing) == 600_000_000
    assert cost({"input-token": 200_001}, listing.pricing) == 1_200_006_000


def test_a_free_model_is_free_and_a_router_of_any_price_is_unknown() -> None:
    assert listed(pricing={"prompt": "0", "completion": "0"}).free
    assert listed(pricing={"prompt": "-1", "completion": "-1"}).pricing is None
    assert listed(pricing={}).pricing is None
    assert not listed().free


@pytest.mark.parametrize(
    "document",
    [None, [], {"data": None}, {"data": [None, {}, {"id": 3}, {"id": ""}]}, {"error": "busy"}],
)
def test_what_is_no_list_lists_nothing(document: Any) -> None:
    assert from_openrouter(document) == {}


@pytest.mark.parametrize("junk", [None, "x", 3, [], {"prompt": None}, {"prompt": "NaN", "completion": "1e999"}])
def test_an_entry_that_is_odd_keeps_what_can_be_read(junk: Any) -> None:
    odd = listed(
        pricing=junk,
        architecture=junk,
        supported_parameters=junk,
        top_provider=junk,
        created=junk,
        expiration_date=junk,
    )
    assert odd.context_tokens == 256000
    assert odd.pricing is None


@pytest.mark.parametrize(
    ("vendor", "model", "there"),
    [
        ("xai", "grok-9", "x-ai/grok-9"),
        ("gemini", "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct", "meta-llama/llama-3.3-70b-instruct"),
    ],
)
def test_a_vendors_model_has_its_id_there(vendor: str, model: str, there: str) -> None:
    assert openrouter_id(vendor, model) == there


def test_it_is_asked_where_the_files_have_nothing() -> None:
    further = from_openrouter({"data": [MODEL, MODEL | {"id": "openai/gpt-4o"}]})
    for asked in ("grok-9", "grok-9-2026-01-01"):
        assert lookup("xai", asked, further=further) == further["x-ai/grok-9"]
    assert lookup("openai", "gpt-4o", further=further) == lookup("openai", "gpt-4o")
