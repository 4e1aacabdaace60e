"""The provider: which models there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.anthropic.models import listed, model_of
from mediaconduit_vendors.anthropic.vendor import ANTHROPIC
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


class Anthropic(VendorProvider):
    """Anthropic."""

    display_name = "Anthropic"
    vendor: ClassVar[Vendor] = ANTHROPIC

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """All that the vendor lists."""
        return [self.model(entry["id"], entry) for entry in await listed(api)]

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        return [self.model(model_id) for model_id in listings("anthropic", self.prices_file)]

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking for the list."""
        known = self.listing(model_id) is not None
        return self.model(model_id) if known else None

    def model(self, model_id: str, entry: Mapping[str, Any] | None = None) -> VendorModel:
        """A model by its id, and by what the vendor's list says of it."""
        return model_of(model_id, entry, self.listing(model_id))
