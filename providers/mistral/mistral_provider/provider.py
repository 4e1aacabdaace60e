"""The provider: Mistral's models, discovered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediaconduit_provider import Model, Voice
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.mistral import speech
from mediaconduit_vendors.mistral.models import base_of, entry_facts, model_of
from mediaconduit_vendors.mistral.vendor import MISTRAL
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


class Mistral(VendorProvider):
    """Mistral."""

    display_name = "Mistral"
    vendor: ClassVar[Vendor] = MISTRAL

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The vendor's models, with what they can do; prices come from the price file."""
        answer, _ = await api.json(Request("GET", "/models"))
        entries = answer.get("data") or () if isinstance(answer, dict) else answer
        found = {}
        for entry in entries:
            listing = self.listing(base_of(entry))
            made = model_of(entry["id"], listing, entry.get("capabilities"), **entry_facts(entry))
            if made is not None:
                found[made.id] = made
        return list(found.values())

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        found = (model_of(model_id, self.listing(model_id)) for model_id in listings("mistral", self.prices_file))
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking Mistral for its list."""
        return model_of(model_id, self.listing(model_id))

    async def list_voices(self) -> Sequence[Voice]:
        """The account's own voices and the built-in ones."""
        return await speech.list_voices(self.api)
