"""``mediaconduit.v1.Voices`` and ``LocalModels``: optional services of providers, asked of whoever has them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mediaconduit.errors import UnsupportedError
from mediaconduit.v1 import local_models_pb2, voices_pb2

from mediaconduit_broker.registry import Registry
from mediaconduit_broker.services.names import page_of, provider_id_of
from mediaconduit_broker.supervision import Instance, State

_VOICES = "mediaconduit.v1.Voices"
_LOCAL_MODELS = "mediaconduit.v1.LocalModels"


class VoicesService:
    """Voices of all providers, or of one."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def list_voices(self, request: voices_pb2.ListVoicesRequest) -> voices_pb2.ListVoicesResponse:
        """All voices, in order of provider."""
        if request.provider:
            instances = [await _serving(self._registry, provider_id_of(request.provider), _VOICES)]
        else:
            instances = [
                supervisor.instance
                for supervisor in self._registry.all()
                if supervisor.state is State.READY
                and supervisor.instance is not None
                and _VOICES in supervisor.instance.description.services
            ]
        voices: list[voices_pb2.Voice] = []
        for instance in instances:
            voices += await _all_voices(instance)
        page, token = page_of(voices, request.page_size, request.page_token)
        return voices_pb2.ListVoicesResponse(voices=page, next_page_token=token)

    async def create_voice(self, request: voices_pb2.CreateVoiceRequest) -> voices_pb2.CreateVoiceResponse:
        """Made by the provider that is named."""
        instance = await _serving(self._registry, provider_id_of(request.provider), _VOICES)
        answer: voices_pb2.CreateVoiceResponse = await instance.voices.CreateVoice(request)
        return answer

    async def delete_voice(self, request: voices_pb2.DeleteVoiceRequest) -> voices_pb2.DeleteVoiceResponse:
        """Removed by the provider in its name."""
        instance = await _serving(self._registry, _owner(request.name), _VOICES)
        answer: voices_pb2.DeleteVoiceResponse = await instance.voices.DeleteVoice(request)
        return answer


class LocalModelsService:
    """Models that providers keep on this machine."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def pull_model(
        self, request: local_models_pb2.PullModelRequest
    ) -> AsyncGenerator[local_models_pb2.PullModelResponse, None]:
        """Streams how far; leaving ends it."""
        supervisor = await self._registry.find(_owner(request.name))
        instance = await _serving(self._registry, supervisor.spec.provider_id, _LOCAL_MODELS)
        call = instance.local_models.PullModel(request)
        try:
            async for step in call:
                yield step
        finally:
            call.cancel()
        await self._registry.list_models(supervisor, refresh=True)

    async def delete_model(self, request: local_models_pb2.DeleteModelRequest) -> local_models_pb2.DeleteModelResponse:
        """Removed by the provider in its name."""
        supervisor = await self._registry.find(_owner(request.name))
        instance = await _serving(self._registry, supervisor.spec.provider_id, _LOCAL_MODELS)
        answer: local_models_pb2.DeleteModelResponse = await instance.local_models.DeleteModel(request)
        await self._registry.list_models(supervisor, refresh=True)
        return answer


async def _serving(registry: Registry, provider_id: str, service: str) -> Instance:
    instance = await (await registry.find(provider_id)).ready()
    if service not in instance.description.services:
        raise UnsupportedError(
            f"provider {provider_id} does not serve {service}",
            metadata={"provider": provider_id, "service": service},
            hint=f"`mediaconduit provider inspect {provider_id}` lists what it serves",
        )
    return instance


async def _all_voices(instance: Instance) -> list[voices_pb2.Voice]:
    found: list[voices_pb2.Voice] = []
    token = ""
    while True:
        page = await instance.voices.ListVoices(voices_pb2.ListVoicesRequest(page_size=500, page_token=token))
        found += page.voices
        token = page.next_page_token
        if not token:
            return found


def _owner(name: str) -> str:
    """The provider in "providers/{provider}/…"."""
    return provider_id_of("/".join(name.split("/", 2)[:2]), "name")
