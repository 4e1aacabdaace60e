"""The provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediaconduit_provider import Model, Voice, VoiceOrigin
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

from together_provider import models
from together_provider.vendor import TOGETHER


class Together(VendorProvider):
    """Together."""

    display_name = "Together"
    vendor: ClassVar[Vendor] = TOGETHER

    @property
    def base_url(self) -> str:
        """The host: video is in another version of the API than the rest. An address with "/v1" is taken as well."""
        return super().base_url.rstrip("/").removesuffix("/v1")

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The models the key may use, with what Together says they cost."""
        return await models.discover(api, self.listing)

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        return models.known(listings("together", self.prices_file), self.listing)

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking Together for its list."""
        return models.known_model(model_id, self.listing)

    async def list_voices(self) -> Sequence[Voice]:
        """All voices, each with the models that have it."""
        found: dict[str, Voice] = {}
        for model, voices in (await models.voices_by_model(self.api)).items():
            for voice in voices:
                name = voice["name"]
                known = found.setdefault(
                    name, Voice(name=name, display_name=name, origin=VoiceOrigin.VOICE_ORIGIN_BUILT_IN)
                )
                known.models.append(model)
        return list(found.values())
