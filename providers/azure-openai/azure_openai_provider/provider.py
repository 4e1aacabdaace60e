"""The provider: which deployments there are, and how each is used."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

from mediaconduit_provider import Call, Model, PreconditionError, Reason, Voice
from mediaconduit_provider.outputs import Yielded
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.azure import API_VERSION, AzureChat, Deployments, authorise, read_azure_failure
from mediaconduit_vendors.openai.guesses import guessed_listing
from mediaconduit_vendors.openai.kinds import Kinds
from mediaconduit_vendors.openai.voices import voices
from mediaconduit_vendors.provider import VendorModel, VendorProvider, settings_schema
from mediaconduit_vendors.vendor import Vendor

ENDPOINT = "AZURE_OPENAI_ENDPOINT"
"""Variable with the address of the resource."""
AZURE = Vendor(
    "azure-openai",
    "Azure OpenAI",
    "https://endpoint-not-set.invalid",
    key="AZURE_OPENAI_API_KEY",
    authorise=authorise,
    read_failure=read_azure_failure,
    reasons={"DeploymentNotFound": Reason.MODEL_NOT_FOUND, "OperationNotSupported": Reason.CAPABILITY_UNSUPPORTED},
    request_id_headers=("apim-request-id", "x-request-id", "x-ms-request-id"),
)


class AzureOpenAI(VendorProvider):
    """Azure OpenAI. Its models are called by the names of the operator's deployments."""

    display_name = "Azure OpenAI"
    vendor: ClassVar[Vendor] = AZURE
    settings_schema = settings_schema(
        api_version={"type": "string", "minLength": 1, "default": API_VERSION, "description": "Of the API."},
        deployments={
            "type": "object",
            "additionalProperties": {"type": "string", "minLength": 1},
            "description": "Which of OpenAI's models each deployment is: {'my-chat': 'gpt-4o'}.",
        },
    )

    def __init__(self) -> None:
        super().__init__()
        self._kinds = Kinds(Deployments(), AzureChat)

    @property
    def base_url(self) -> str:
        """The resource's endpoint."""
        return super().base_url or os.environ.get(ENDPOINT, "")

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Takes settings."""
        await super().configure(settings)
        self._kinds = Kinds(Deployments(self._api_version), AzureChat)

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The deployments of the settings, once the key is known to be accepted: a key cannot list them."""
        self._require_endpoint()
        await api.json(Request("GET", "/openai/models", params={"api-version": self._api_version}))
        return self.known_models()

    def known_models(self) -> Sequence[VendorModel]:
        """The deployments of the settings."""
        found = (self._model(name, model_id) for name, model_id in self._deployments.items())
        return [model for model in found if model is not None]

    async def find_model(self, model_id: str) -> Model | None:
        """A deployment: of the settings, or one that has its model's own name."""
        return self._model(model_id, self._deployments.get(model_id, model_id))

    async def transform(self, call: Call) -> AsyncGenerator[Yielded, None]:
        """Asks the deployment."""
        self._require_endpoint()
        async with aclosing(super().transform(call)) as work:
            async for yielded in work:
                yield yielded

    async def list_voices(self) -> Sequence[Voice]:
        """OpenAI's built-in ones."""
        return voices()

    @property
    def _deployments(self) -> Mapping[str, str]:
        return self.settings.get("deployments", {})

    @property
    def _api_version(self) -> str:
        return str(self.settings.get("api_version", API_VERSION))

    def _model(self, deployment: str, model_id: str) -> VendorModel | None:
        listing = self.listing(model_id) or self.listing(model_id, "openai") or guessed_listing(model_id)
        facts = {} if deployment == model_id else {"display_name": f"{deployment} ({model_id})"}
        return self._kinds.model(model_id, listing, name=deployment, **facts)

    def _require_endpoint(self) -> None:
        if not self.base_url:
            raise PreconditionError(
                "the address of the Azure resource is not known",
                reason=Reason.CREDENTIALS_MISSING,
                metadata={"variable": ENDPOINT},
                hint=f"set {ENDPOINT}, or settings.base_url, to https://<resource>.openai.azure.com",
            )
