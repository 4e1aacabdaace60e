"""The provider: OpenRouter's models, discovered with their prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openrouter.models import model_of, unlisted
from mediaconduit_vendors.openrouter.vendor import OPENROUTER
from mediaconduit_vendors.prices import from_openrouter
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


class OpenRouter(VendorProvider):
    """OpenRouter."""

    display_name = "OpenRouter"
    vendor: ClassVar[Vendor] = OPENROUTER

    def __init__(self) -> None:
        super().__init__()
        self._listed: Mapping[str, VendorModel] = {}

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes settings; there may be other models with them."""
        await super().configure(settings)
        self._listed = {}

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """All models, and those of them that make images. Lists need no key, so it is asked about by itself."""
        await api.json(Request("GET", "/key"))
        document, _ = await api.json(Request("GET", "/models", params={"output_modalities": "all"}))
        pictures, _ = await api.json(Request("GET", "/images/models"))
        listings = from_openrouter(document, source="vendor-api")
        entries = {entry["id"]: entry for entry in document.get("data") or ()}
        drawings = {entry["id"]: entry for entry in pictures.get("data") or ()}
        found = []
        for model_id in dict.fromkeys([*entries, *drawings]):
            listing = self.listing(model_id) if self.prices_file else None
            listing = listing or listings.get(model_id)
            found.append(model_of(entries.get(model_id) or {}, listing, drawings.get(model_id)))
        models = [model for model in found if model is not None]
        self._listed = {model.id: model for model in models}
        return models

    async def find_model(self, model_id: str) -> Model | None:
        """A variant of a listed model ("…:nitro"), or a preset."""
        return unlisted(model_id, self._listed)
