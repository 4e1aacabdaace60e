"""For tests of providers: a real server on a Unix socket and a real client.

::

    async with serve(Cowsay(), settings={"width": 40}) as served:
        result = await served.model("default").transform("hi")
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.host import Host
from mediaconduit_provider.provider import Provider
from mediaconduit_provider.server import Server

if TYPE_CHECKING:
    import mediaconduit


@dataclass(frozen=True, slots=True)
class Served:
    """A provider that is being served."""

    client: mediaconduit.Client
    """Connected to it."""
    target: str
    """Its address, for other clients."""
    provider_id: str
    host: Host
    """Its inside."""

    def model(self, model_id: str) -> mediaconduit.Model:
        """A model of the provider, by its bare id."""
        return self.client.model(f"providers/{self.provider_id}/models/{model_id}")


@contextlib.asynccontextmanager
async def serve(
    provider: Provider, *, provider_id: str = "test", settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Served]:
    """Serves a provider until the block ends, and then closes it."""
    from mediaconduit import connect

    async with (
        serve_socket(provider, provider_id=provider_id, settings=settings) as (target, host),
        connect(target) as client,
    ):
        yield Served(client, target, provider_id, host)


@contextlib.asynccontextmanager
async def serve_socket(
    provider: Provider,
    *,
    provider_id: str = "test",
    settings: Mapping[str, Any] | None = None,
    config: HostConfig | None = None,
) -> AsyncIterator[tuple[str, Host]]:
    """The server alone: its address and its inside. `config` replaces the host's settings but for the address."""
    with tempfile.TemporaryDirectory(prefix="mediaconduit-") as folder:
        target = f"unix:{folder}/s"
        given = config or HostConfig(provider_id=provider_id, listen=target)
        host = Host(provider, replace(given, listen=target))
        server = Server(host.config)
        server.serve(host)
        await server.start()
        try:
            await host.setup()
            await server.ready()
            if settings is not None:
                await host.configure(dict(settings))
            yield target, host
        finally:
            await server.draining()
            await host.finish(0.0)
            await server.stop()
