"""The provider: the router's models, and any other of the hub by its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediaconduit_provider import Model
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor

from huggingface_provider import models
from huggingface_provider.failures import read_failure


class HuggingFace(VendorProvider):
    """Hugging Face."""

    display_name = "Hugging Face"
    vendor: ClassVar[Vendor] = Vendor(
        "huggingface",
        "Hugging Face",
        "https://router.huggingface.co",
        key="HF_TOKEN",
        read_failure=read_failure,
        request_id_headers=("x-request-id", "x-amzn-requestid"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._listed: frozenset[str] = frozenset()

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The router's models, by themselves and at each provider."""
        found = await models.discover(api)
        self._listed = frozenset(model.id for model in found)
        return found

    async def find_model(self, model_id: str) -> Model | None:
        """Any other model of the hub; the hub is asked once what it is for. Without a key nothing is known."""
        if "/" not in model_id or model_id in self._listed:
            return None
        if self.api.key and not self._listed:
            await self.list_models()  # most ids are the router's, and the hub knows less about those
            if model_id in self._listed:
                return None
        return await models.find(self.api, model_id)
