"""What an operator's own prices say reaches the models of every vendor, whichever way they are found."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit_provider import Pricing, Rate
from mediaconduit_vendors.prices import Listing

from tests.support.vendors.providers import provider_class

OWN = Pricing(currency="USD", source="of one's own", rates=[Rate(unit="character", nano_price=7)])


@pytest.mark.parametrize(
    ("vendor", "model_id", "mode"),
    [
        ("anthropic", "claude-made-up", "chat"),
        ("elevenlabs", "scribe_v2", "audio_transcription"),
        ("gemini", "gemini-made-up", "chat"),
        ("mistral", "made-up", "chat"),
        ("openai", "made-up", "chat"),
        ("together", "made-up", "chat"),
        ("xai", "made-up", "chat"),
    ],
)
async def test_a_models_price_is_that_of_the_providers_listing(
    vendor: str, model_id: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listing(*_: Any) -> Listing:
        return Listing(model_id, mode, pricing=OWN)

    provider: Any = provider_class(vendor)()
    monkeypatch.setattr(provider, "listing", listing)
    model = await provider.find_model(model_id)
    assert model is not None
    assert model.pricing == OWN
