"""The provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediaconduit_provider import Model, Voice, VoiceOrigin
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

from xai_provider import kinds


class XAI(VendorProvider):
    """xAI."""

    display_name = "xAI"
    vendor: ClassVar[Vendor] = Vendor("xai", "xAI", "https://api.x.ai/v1", key="XAI_API_KEY")

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The models the key may use, with what xAI says they cost."""
        return await kinds.discover(api, self.listing)

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        return kinds.known(listings("xai", self.prices_file), self.listing)

    async def find_model(self, model_id: str) -> Model | None:
        """A model with a price, without asking xAI for its lists."""
        return kinds.known_model(model_id, self.listing)

    async def list_voices(self) -> Sequence[Voice]:
        """xAI's own voices."""
        answer, _ = await self.api.json(Request("GET", "/tts/voices"))
        return [
            Voice(
                name=entry["voice_id"],
                display_name=entry.get("name") or "",
                origin=VoiceOrigin.VOICE_ORIGIN_BUILT_IN,
                languages=[entry["language"]] if entry.get("language") else [],
            )
            for entry in answer.get("voices") or ()
        ]
