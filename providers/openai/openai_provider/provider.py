"""The provider: which of OpenAI's models are used how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from mediaconduit_provider import Model, Voice
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.guesses import guessed_listing
from mediaconduit_vendors.openai.kinds import Kinds
from mediaconduit_vendors.openai.voices import voices
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

OPENAI = Vendor("openai", "OpenAI", "https://api.openai.com/v1", key="OPENAI_API_KEY")
KINDS = Kinds()


class OpenAI(VendorProvider):
    """OpenAI."""

    display_name = "OpenAI"
    vendor: ClassVar[Vendor] = OPENAI

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The vendor's models, priced where the price file has them; others are used as their names say."""
        listed, _ = await api.json(Request("GET", "/models"))
        found = []
        for entry in listed["data"]:
            listing = self.listing(entry["id"]) or guessed_listing(entry["id"])
            made = datetime.fromtimestamp(created, UTC) if (created := entry.get("created")) else None
            found.append(KINDS.model(entry["id"], listing, released=made))
        return [model for model in found if model is not None]

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        found = (KINDS.model(model_id, self.listing(model_id)) for model_id in listings("openai", self.prices_file))
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking OpenAI for its list."""
        return KINDS.model(model_id, self.listing(model_id))

    async def list_voices(self) -> Sequence[Voice]:
        """The built-in ones: the API lists none."""
        return voices()
