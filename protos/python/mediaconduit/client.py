"""The connection to a broker, or to a single provider: they speak the same contract."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import grpc

from mediaconduit.channels import PROVIDER_HEADER, open_channel
from mediaconduit.edge import answer
from mediaconduit.model import Model
from mediaconduit.options import struct
from mediaconduit.v1 import models_pb2, provider_pb2, provider_pb2_grpc, voices_pb2, voices_pb2_grpc

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mediaconduit.broker import BrokerAdmin
    from mediaconduit.v1.broker_pb2_grpc import BrokerAsyncStub
    from mediaconduit.v1.provider_pb2_grpc import MediaProviderAsyncStub
    from mediaconduit.v1.voices_pb2_grpc import VoicesAsyncStub

DEFAULT_TARGET: Final = "localhost:50051"


def connect(target: str = DEFAULT_TARGET, *, api_key: str | None = None) -> Client:
    """A client of the broker at "host:port" or "unix:/path"; use it as ``async with``.

    Connects with the first call, and again by itself when the connection was lost.

    Args:
        target: Where it listens.
        api_key: Sent with every call, for brokers that ask who calls.
    """
    return Client(target, api_key=api_key)


class Wire:
    """A channel, its stubs, and what goes with every call. Made when first needed, in the loop that uses it."""

    def __init__(self, target: str, api_key: str | None) -> None:
        self._target = target
        self._authorization = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        self._open: _Open | None = None
        self._closed = False

    def _opened(self) -> _Open:
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._open is None:
            self._open = _Open(open_channel(self._target))
        return self._open

    @property
    def channel(self) -> grpc.aio.Channel:
        """Open until `aclose`; RuntimeError after that."""
        return self._opened().channel

    @property
    def provider(self) -> MediaProviderAsyncStub:
        """`mediaconduit.v1.MediaProvider`."""
        return self._opened().provider

    @property
    def voices(self) -> VoicesAsyncStub:
        """`mediaconduit.v1.Voices`."""
        return self._opened().voices

    @property
    def broker(self) -> BrokerAsyncStub:
        """`mediaconduit.v1.Broker`."""
        return self._opened().broker

    def metadata(self, name: str = "") -> grpc.aio.Metadata:
        """Metadata of a call about something with this resource name."""
        metadata = grpc.aio.Metadata(*self._authorization)
        kind, _, rest = name.partition("/")
        if kind == "providers" and rest:
            metadata.add(PROVIDER_HEADER, rest.partition("/")[0])
        return metadata

    async def aclose(self) -> None:
        """Cancels what runs and closes the connection."""
        self._closed = True
        if self._open is not None:
            # Dropped as well as closed: gRPC frees its sockets with the last reference to a channel.
            opened, self._open = self._open, None
            await opened.channel.close()


class _Open:
    """An open channel and its stubs."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    @cached_property
    def provider(self) -> MediaProviderAsyncStub:
        return provider_pb2_grpc.MediaProviderStub(self.channel)

    @cached_property
    def voices(self) -> VoicesAsyncStub:
        return voices_pb2_grpc.VoicesStub(self.channel)

    @cached_property
    def broker(self) -> BrokerAsyncStub:
        from mediaconduit.v1.broker_pb2_grpc import BrokerStub

        return BrokerStub(self.channel)


class Client:
    """Providers and models behind one endpoint. Made by `connect`."""

    def __init__(self, target: str, *, api_key: str | None = None) -> None:
        self._wire = Wire(target, api_key)

    def provider(self, provider_id: str) -> Provider:
        """One of its providers."""
        return Provider(self._wire, provider_id)

    def model(self, name: str = "") -> Model:
        """A model by "providers/{provider}/models/{model}", "{provider}/{model}", an alias, or an id that only one
        provider has. Without a name the ``capability=`` of a call chooses."""
        return Model(self._wire, name)

    async def models(self, capability: str | None = None, *, refresh: bool = False) -> list[models_pb2.Model]:
        """All models, or those with a capability ("text-to-audio").

        Args:
            capability: What they must do.
            refresh: Ask the vendors again instead of a cache.
        """
        return await _models(self._wire, "", capability, refresh)

    async def voices(self) -> list[voices_pb2.Voice]:
        """The voices of all providers."""
        return await _voices(self._wire, "")

    async def describe(self) -> provider_pb2.DescribeResponse:
        """What the server says of itself."""
        return await _describe(self._wire, "")

    async def health(self, service: str = "") -> bool:
        """Whether the server takes calls.

        Args:
            service: "" for the process, "mediaconduit.v1.MediaProvider" for readiness, "providers/{provider}" for one
                provider of a broker.
        """
        from mediaconduit.health import serving

        return await serving(self._wire.channel, service, self._wire.metadata())

    @cached_property
    def broker(self) -> BrokerAdmin:
        """The broker's own services: loading providers, their state, their logs."""
        from mediaconduit.broker import BrokerAdmin

        return BrokerAdmin(self._wire)

    async def aclose(self) -> None:
        """Cancels what runs and closes the connection."""
        await self._wire.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Provider:
    """A provider behind the endpoint."""

    def __init__(self, wire: Wire, provider_id: str) -> None:
        self._wire = wire
        self.id = provider_id.removeprefix("providers/")
        self.name = f"providers/{self.id}"
        """Its resource name."""

    def model(self, model_id: str) -> Model:
        """One of its models, by the vendor's id."""
        return Model(self._wire, f"{self.name}/models/{model_id}")

    async def models(self, capability: str | None = None, *, refresh: bool = False) -> list[models_pb2.Model]:
        """Its models, or those with a capability."""
        return await _models(self._wire, self.name, capability, refresh)

    async def voices(self) -> list[voices_pb2.Voice]:
        """Its voices. Raises `UnsupportedError` when it has no such service."""
        return await _voices(self._wire, self.name)

    async def describe(self) -> provider_pb2.DescribeResponse:
        """What it says of itself."""
        return await _describe(self._wire, self.name)

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Sets its credentials and settings, replacing those before. Raises `InvalidRequestError` with the fields."""
        request = provider_pb2.ConfigureRequest(provider=self.name, settings=struct(settings))
        await answer(self._wire.provider.Configure(request, metadata=self._wire.metadata(self.name)))


async def _models(wire: Wire, provider: str, capability: str | None, refresh: bool) -> list[models_pb2.Model]:
    request = provider_pb2.ListModelsRequest(provider=provider, capability=capability or "", refresh=refresh)
    found: list[models_pb2.Model] = []
    while True:
        page = await answer(wire.provider.ListModels(request, metadata=wire.metadata(provider)))
        found.extend(page.models)
        if not page.next_page_token:
            return found
        request.page_token, request.refresh = page.next_page_token, False


async def _voices(wire: Wire, provider: str) -> list[voices_pb2.Voice]:
    request = voices_pb2.ListVoicesRequest(provider=provider)
    found: list[voices_pb2.Voice] = []
    while True:
        page = await answer(wire.voices.ListVoices(request, metadata=wire.metadata(provider)))
        found.extend(page.voices)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def _describe(wire: Wire, provider: str) -> provider_pb2.DescribeResponse:
    request = provider_pb2.DescribeRequest(provider=provider)
    return await answer(wire.provider.Describe(request, metadata=wire.metadata(provider)))
