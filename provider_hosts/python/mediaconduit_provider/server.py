"""The gRPC server of a sidecar: the contract, health, reflection, on one address."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.v1 import local_models_pb2_grpc, provider_pb2_grpc, voices_pb2_grpc

from mediaconduit_provider import local_models, voices
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.first_configure import FirstConfigure
from mediaconduit_provider.host import Host
from mediaconduit_provider.reflection import Reflection
from mediaconduit_provider.servicer import MediaProviderServicer

SERVICE: Final = "mediaconduit.v1.MediaProvider"
_FAREWELL: Final = 0.1
"""Seconds that connections stay open for callers to read how their calls ended."""
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Handlers(grpc.GenericRpcHandler):
    """All methods served. grpc's own table must not change once a server runs; this one may.

    Generated code adds services to it as to a server.
    """

    def __init__(self) -> None:
        self._handlers: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Adds a service."""
        self._handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Its methods once more, for servers that look them up by name."""

    def clear(self) -> None:
        """Removes all services; calls under way are not touched."""
        self._handlers.clear()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method, or nothing."""
        for handler in self._handlers:
            if (found := handler.service(handler_call_details)) is not None:
                return found
        return None


class Server:
    """The address of a sidecar. `start` listens, `serve` says who answers, `ready` and `draining` what health says."""

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._health = HealthServicer()
        self._handlers = Handlers()
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        self._server.add_generic_rpc_handlers((self._handlers,))
        self._socket: Path | None = None
        self._local_models: local_models.LocalModelsServicer | None = None
        self._media_provider: MediaProviderServicer | None = None

    def serve_first(self, servicer: FirstConfigure) -> None:
        """Until there is a host."""
        self._add(provider_pb2_grpc.add_MediaProviderServicer_to_server, servicer)
        self._add(health_pb2_grpc.add_HealthServicer_to_server, self._health)

    def serve(self, host: Host) -> MediaProviderServicer:
        """Everything the host has, in place of what was served before."""
        services = [
            name
            for name, method in ((voices.SERVICE, "list_voices"), (local_models.SERVICE, "pull_model"))
            if host.serves(method)
        ]
        self._handlers.clear()
        self._local_models = local_models.LocalModelsServicer(host)
        self._media_provider = MediaProviderServicer(host, services)
        self._add(provider_pb2_grpc.add_MediaProviderServicer_to_server, self._media_provider)
        self._add(voices_pb2_grpc.add_VoicesServicer_to_server, voices.VoicesServicer(host))
        self._add(local_models_pb2_grpc.add_LocalModelsServicer_to_server, self._local_models)
        self._add(health_pb2_grpc.add_HealthServicer_to_server, self._health)
        self._handlers.add_generic_rpc_handlers([Reflection((SERVICE, *services, "grpc.health.v1.Health"))])
        return self._media_provider

    def _add(self, add: Callable[[Any, Any], None], servicer: object) -> None:
        add(servicer, self._handlers)

    async def start(self) -> int:
        """Listens; gives the TCP port, or 1 on a Unix socket. Raises `OSError` when the address cannot be had."""
        await self._health.set(SERVICE, _NOT_SERVING)
        port = self._bind(self._config.listen)
        await self._server.start()
        return port

    async def ready(self) -> None:
        """Health says that calls are taken."""
        await self._health.set(SERVICE, _SERVING)

    async def draining(self) -> None:
        """Health says that no more calls are taken."""
        await self._health.set(SERVICE, _NOT_SERVING)

    async def stop(self) -> None:
        """Closes the address and every connection, once calls that have ended could say so."""
        if self._local_models is not None:
            await self._local_models.aclose()
        if self._media_provider is not None:
            await self._media_provider.told(self._config.close_grace)
        # Not 0: a caller that is still writing to a closed socket loses what it has not read yet.
        await self._server.stop(_FAREWELL)
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    def _bind(self, address: str) -> int:
        before: Any = None
        if address.startswith("unix:"):
            self._socket = Path(address.removeprefix("unix:").removeprefix("//"))
            self._socket.unlink(missing_ok=True)
            before = os.umask(0o077)
        try:
            if self._config.tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, self._config.tls.server_credentials())
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        finally:
            if before is not None:
                os.umask(before)
        if port == 0:
            raise OSError(f"cannot listen on {address}")
        return port
