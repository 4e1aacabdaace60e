"""The provider: ElevenLabs' models and the account's voices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from mediaconduit.v1.voices_pb2 import CreateVoiceRequest
from mediaconduit_provider import InvalidRequestError, Model, Voice, VoiceOrigin
from mediaconduit_vendors.api import Api
from mediaconduit_vendors.content import media_type_of
from mediaconduit_vendors.elevenlabs import models, voices
from mediaconduit_vendors.elevenlabs.failures import REASONS, read_failure
from mediaconduit_vendors.prices import listings
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.vendor import Vendor


def authorise(key: str) -> Mapping[str, str]:
    """The header ElevenLabs wants the key in."""
    return {"xi-api-key": key}


class ElevenLabs(VendorProvider):
    """ElevenLabs."""

    display_name = "ElevenLabs"
    vendor: ClassVar[Vendor] = Vendor(
        "elevenlabs",
        "ElevenLabs",
        "https://api.elevenlabs.io",
        key="ELEVENLABS_API_KEY",
        authorise=authorise,
        read_failure=read_failure,
        reasons=REASONS,
        request_id_headers=("request-id", "x-request-id"),
    )

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        """The account's models."""
        return await models.discover(api, self.listing)

    def known_models(self) -> Sequence[VendorModel]:
        """Those with a price."""
        return models.known(listings("elevenlabs", self.prices_file), self.listing)

    async def find_model(self, model_id: str) -> Model | None:
        """A model that ElevenLabs does not list."""
        return next((model for model in models.unlisted(self.listing) if model.id == model_id), None)

    async def list_voices(self) -> Sequence[Voice]:
        """The account's voices, cloned ones first."""
        return await voices.list_voices(self.api)

    async def create_voice(self, request: CreateVoiceRequest) -> Voice:
        """Clones a voice of samples."""
        if not request.samples:
            raise InvalidRequestError.at("samples", "a voice is made of recordings; give at least one")
        samples = []
        for number, part in enumerate(request.samples):
            if part.name not in ("", "voice"):
                continue  # what is said in a sample is of no use here
            if not part.data:
                raise InvalidRequestError.at(f"samples[{number}]", "send the recording itself")
            samples.append((part.data, media_type_of(part)))
        name = request.display_name or "MediaConduit"
        extra = dict(request.extra)
        voice_id = await voices.create_voice(self.api, name, samples, description=request.description, extra=extra)
        return Voice(
            name=voice_id,
            display_name=name,
            description=request.description,
            origin=VoiceOrigin.VOICE_ORIGIN_CLONED,
            labels={"category": "cloned"},
        )

    async def delete_voice(self, voice_id: str) -> None:
        """Removes a voice from the account."""
        await voices.delete_voice(self.api, voice_id)
