"""The provider: an Ollama server's models, fetched and removed through it too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

from mediaconduit_provider import PullProgress
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.ollama import models
from mediaconduit_vendors.ollama.failures import read_failure
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


class Ollama(VendorProvider):
    """An Ollama server, on this machine unless settings name another."""

    display_name = "Ollama"
    vendor: ClassVar[Vendor] = Vendor(
        "ollama",
        "Ollama",
        "http://127.0.0.1:11434",
        key="OLLAMA_API_KEY",  # only a server behind a door of its own wants one
        key_required=False,
        read_failure=read_failure,
        request_id_headers=(),
    )

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """What is on the server's machine."""
        return await models.discover(api)

    async def pull_model(self, model_id: str) -> AsyncIterator[PullProgress]:
        """Fetches a model to the server's machine; it is listed from then on."""
        async for progress in models.pull(self.api, model_id):
            yield progress
        await self.list_models(refresh=True)

    async def delete_model(self, model_id: str) -> None:
        """Removes a model from the server's machine."""
        await models.delete(self.api, model_id)
        await self.list_models(refresh=True)
