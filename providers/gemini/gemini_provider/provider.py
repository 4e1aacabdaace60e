"""The provider: which models there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.gemini.models import listed, model_of
from mediaconduit_vendors.gemini.vendor import GEMINI
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


class Gemini(VendorProvider):
    """Google's Gemini API."""

    display_name = "Gemini"
    vendor: ClassVar[Vendor] = GEMINI

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """All that the vendor lists and that is of use here."""
        found = (self.model(entry["name"].removeprefix("models/"), entry) for entry in await listed(api))
        return [model for model in found if model is not None]

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        found = (self.model(model_id) for model_id in listings("gemini", self.prices_file))
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking for the list."""
        return self.model(model_id)

    def model(self, model_id: str, entry: Mapping[str, Any] | None = None) -> VendorModel | None:
        """A model by its id, and by what the vendor's list says of it; None for one of no use here."""
        return model_of(model_id, entry, self.listing(model_id))
