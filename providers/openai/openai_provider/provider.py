"""The provider: which of OpenAI's models are used how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.kinds import Kinds
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
        """Those of the vendor's models that are known to be of a kind used here."""
        listed, _ = await api.json(Request("GET", "/models"))
        found = (self.model(entry["id"], entry.get("created")) for entry in listed["data"])
        return [model for model in found if model is not None]

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        found = (self.model(model_id) for model_id in listings("openai", self.prices_file))
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking OpenAI for its list."""
        return self.model(model_id)

    def model(self, model_id: str, created: int | None = None) -> VendorModel | None:
        """A model by its id, and when it was made in seconds since the epoch; None for one of an unknown kind."""
        listing = self.listing(model_id)
        kind = KINDS.of(model_id, listing) if listing is not None else None
        released = datetime.fromtimestamp(created, UTC) if created else None
        return kind.model(model_id, listing, released=released) if kind is not None else None
