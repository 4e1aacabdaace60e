"""``mediaconduit.v1.MediaProvider`` for all providers at once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterable
from importlib.metadata import version
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from mediaconduit.errors import InvalidRequestError, UnsupportedError
from mediaconduit.v1 import models_pb2, provider_pb2

from mediaconduit_broker.registry import Registry
from mediaconduit_broker.relay import Relay
from mediaconduit_broker.services.edge import as_bytes
from mediaconduit_broker.services.names import page_of, provider_id_of
from mediaconduit_broker.supervision import State, Supervisor

CONTRACT_REVISION: Final = 1
_ON_ITS_WAY: Final = (State.INSTALLING, State.STARTING, State.LOADING)


class MediaProviderService:
    """Re-exports the providers' own service; Transform and TransformLive go through the relay as bytes."""

    def __init__(self, registry: Registry, relay: Relay) -> None:
        self._registry = registry
        self._relay = relay

    async def describe(self, request: provider_pb2.DescribeRequest) -> provider_pb2.DescribeResponse:
        """One provider, or the broker itself."""
        if request.provider:
            supervisor = await self._registry.find(provider_id_of(request.provider))
            instance = await supervisor.ready()
            return await instance.describe()
        snapshot = self._registry.snapshot()
        models = itertools.chain.from_iterable(provider.models for provider in snapshot.providers.values())
        return provider_pb2.DescribeResponse(
            provider_id="broker",
            display_name="MediaConduit broker",
            version=version("mediaconduit-broker"),
            contract_revision=CONTRACT_REVISION,
            capabilities=sorted({capability for model in models for capability in model.capabilities}),
            services=["mediaconduit.v1.Broker", "mediaconduit.v1.Voices", "mediaconduit.v1.LocalModels"],
            active_calls=sum(supervisor.active_calls for supervisor in self._registry.all()),
        )

    async def configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        """Settings of one provider."""
        if not request.provider:
            raise InvalidRequestError.at(
                "provider", "the broker itself has no settings here", hint='name one: "providers/{provider}"'
            )
        if request.secrets:
            raise InvalidRequestError.at(
                "secrets", "a broker takes none from callers", hint="put them into one of its sources of secrets"
            )
        await self._registry.configure(provider_id_of(request.provider), settings_of(request.settings))
        return provider_pb2.ConfigureResponse()

    async def list_models(self, request: provider_pb2.ListModelsRequest) -> provider_pb2.ListModelsResponse:
        """Models of all providers, in order of provider and as each lists them."""
        only = provider_id_of(request.provider) if request.provider else ""
        supervisors = [await self._settled(only)] if only else self._registry.all()
        if request.refresh:
            for supervisor in supervisors:
                await self._registry.list_models(supervisor, refresh=True)
        models = [
            self._measured(model)
            for supervisor in supervisors
            for model in supervisor.last_models
            if not request.capability or request.capability in model.capabilities
        ]
        page, token = page_of(models, request.page_size, request.page_token)
        provisional = any(s.instance is not None and s.instance.provisional for s in supervisors)
        return provider_pb2.ListModelsResponse(models=page, next_page_token=token, provisional=provisional)

    async def _settled(self, provider_id: str) -> Supervisor:
        """One whose models are known: while it starts for the first time, nobody knows them."""
        supervisor = await self._registry.find(provider_id)
        if not supervisor.last_models and supervisor.state in _ON_ITS_WAY:
            await supervisor.ready()
        return supervisor

    async def get_model(self, request: provider_pb2.GetModelRequest) -> provider_pb2.GetModelResponse:
        """One model, as its provider describes it."""
        route = await self._registry.route(request.name)
        instance = await self._registry.get(route.provider_id).ready()
        answer: provider_pb2.GetModelResponse = await instance.provider.GetModel(
            provider_pb2.GetModelRequest(name=route.model)
        )
        return provider_pb2.GetModelResponse(model=self._measured(answer.model))

    def _measured(self, model: models_pb2.Model) -> models_pb2.Model:
        """The model with how soon it answers, as far as that has been seen."""
        seconds = self._relay.speeds.median(model.name)
        if seconds is None:
            return model
        known = models_pb2.Model()
        known.CopyFrom(model)
        known.first_output_duration.FromNanoseconds(int(seconds * 1e9))
        return known

    async def watch_generations(
        self, request: provider_pb2.WatchGenerationsRequest
    ) -> AsyncGenerator[provider_pb2.WatchGenerationsResponse, None]:
        """Records belong to sidecars until the broker keeps its own."""
        raise UnsupportedError(
            "this broker keeps no records of calls yet",
            metadata={"provider": "broker", "service": "mediaconduit.v1.MediaProvider/WatchGenerations"},
        )
        yield

    @as_bytes
    async def transform(self, frame: bytes, context: Any) -> None:
        """As bytes."""
        await self._relay.transform(frame, context, context.write)

    @as_bytes
    async def transform_live(self, frames: Any, context: Any) -> None:
        """As bytes."""
        await self._relay.transform_live(frames, context, context.write)


def settings_of(settings: Any) -> dict[str, Any]:
    """A Struct as Python data, its whole numbers as integers."""
    return {key: _whole(value) for key, value in MessageToDict(settings).items()}


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value


def capabilities_of(models: Iterable[models_pb2.Model]) -> list[str]:
    """What any of the models does, in order of name."""
    return sorted({capability for model in models for capability in model.capabilities})
