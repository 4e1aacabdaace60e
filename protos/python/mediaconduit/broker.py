"""The broker's own services: loading providers, their state, their logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mediaconduit.edge import Feed, answer
from mediaconduit.options import Seconds, duration, struct
from mediaconduit.requests import prepare, said
from mediaconduit.v1 import broker_pb2

if TYPE_CHECKING:
    from typing import Unpack

    from mediaconduit.client import Wire
    from mediaconduit.content import Content
    from mediaconduit.options import Request


class BrokerAdmin:
    """`mediaconduit.v1.Broker`. Every method raises the errors of `mediaconduit.errors`; `Client.broker` makes it.

    Providers are named by their id or by "providers/{provider}".
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def load(
        self,
        source: str,
        *,
        provider_id: str = "",
        frozen: bool = False,
        settings: Mapping[str, Any] | None = None,
        allow_build: bool = False,
    ) -> Feed[broker_pb2.LoadProviderResponse]:
        """Fetches, builds and starts a provider, step by step; the last step is READY.

        Args:
            source: Where it comes from ("file:…", "github:o/r@ref"), or a catalog name.
            provider_id: Name to give it; empty = the manifest's.
            frozen: Refuse anything the lock file does not hold.
            settings: As for `Provider.configure`; None = as before.
            allow_build: Let it run the build commands of its manifest, which is code of its repository.
        """
        request = broker_pb2.LoadProviderRequest(
            source=source, provider_id=provider_id, frozen=frozen, allow_build=allow_build
        )
        if settings is not None:
            request.settings.CopyFrom(struct(settings))
        return Feed(lambda: self._wire.broker.LoadProvider(request, metadata=self._wire.metadata()))

    async def unload(self, provider: str, *, drain_timeout: Seconds | None = None) -> None:
        """Drains it, stops it and forgets it.

        Args:
            provider: Which.
            drain_timeout: How long its calls may take to end.
        """
        request = broker_pb2.UnloadProviderRequest(name=_name(provider))
        if drain_timeout is not None:
            request.drain_timeout.CopyFrom(duration(drain_timeout))
        await answer(self._wire.broker.UnloadProvider(request, metadata=self._wire.metadata()))

    def refresh(self, provider: str) -> Feed[broker_pb2.RefreshProviderResponse]:
        """Resolves its source again and replaces it without losing a call, step by step."""
        request = broker_pb2.RefreshProviderRequest(name=_name(provider))
        return Feed(lambda: self._wire.broker.RefreshProvider(request, metadata=self._wire.metadata()))

    async def get(self, provider: str) -> broker_pb2.GetProviderResponse:
        """One provider: what it says of itself, its environment, what is odd about it."""
        request = broker_pb2.GetProviderRequest(name=_name(provider))
        return await answer(self._wire.broker.GetProvider(request, metadata=self._wire.metadata()))

    def watch(self) -> Feed[broker_pb2.WatchProvidersResponse]:
        """All providers, and then every change."""
        request = broker_pb2.WatchProvidersRequest()
        return Feed(lambda: self._wire.broker.WatchProviders(request, metadata=self._wire.metadata()))

    def tail_logs(
        self, provider: str, *, lines: int = 100, follow: bool = False, build: bool = False
    ) -> Feed[broker_pb2.TailLogsResponse]:
        """Lines it has written, or those of its last build.

        Args:
            provider: Whose.
            lines: How many from the past.
            follow: Go on with new ones.
            build: The log of its last build instead.
        """
        request = broker_pb2.TailLogsRequest(name=_name(provider), lines=lines, follow=follow, build=build)
        return Feed(lambda: self._wire.broker.TailLogs(request, metadata=self._wire.metadata()))

    async def explain(
        self, model: str = "", content: Content = None, **keywords: Unpack[Request]
    ) -> list[broker_pb2.RouteCandidate]:
        """Where a call would go and why, best first, without running it."""
        request, _ = await prepare(model, said(content, keywords), keywords).packed()
        explained = broker_pb2.ExplainRouteRequest(request=request)
        return list(
            (await answer(self._wire.broker.ExplainRoute(explained, metadata=self._wire.metadata()))).candidates
        )

    async def list(self, capability: str = "") -> list[broker_pb2.Provider]:
        """All providers and their state, or those with a capability."""
        request = broker_pb2.ListProvidersRequest(capability=capability)
        found: list[broker_pb2.Provider] = []
        while True:
            page = await answer(self._wire.broker.ListProviders(request, metadata=self._wire.metadata()))
            found.extend(page.providers)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token


def _name(provider: str) -> str:
    return provider if provider.startswith("providers/") else f"providers/{provider}"
