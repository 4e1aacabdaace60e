"""The gRPC server of a sidecar: the contract, health, reflection, on one address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.v1 import local_models_pb2_grpc, provider_pb2_grpc, voices_pb2_grpc

from mediaconduit_provider import local_models, voices
from mediaconduit_provider.host import Host
from mediaconduit_provider.reflection import Reflection
from mediaconduit_provider.servicer import MediaProviderServicer

SERVICE: Final = "mediaconduit.v1.MediaProvider"
_FAREWELL: Final = 0.1
"""Seconds that connections stay open for callers to read how their calls ended."""
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Server:
    """Serves a host. `start` listens; the host says with `ready` and `draining` what health is to say."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._health = HealthServicer()
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        self._socket: Path | None = None
        services = [
            name
            for name, method in ((voices.SERVICE, "list_voices"), (local_models.SERVICE, "pull_model"))
            if host.serves(method)
        ]
        self._local_models = local_models.LocalModelsServicer(host)
        self._media_provider = MediaProviderServicer(host, services)
        provider_pb2_grpc.add_MediaProviderServicer_to_server(self._media_provider, self._server)
        voices_pb2_grpc.add_VoicesServicer_to_server(voices.VoicesServicer(host), self._server)
        local_models_pb2_grpc.add_LocalModelsServicer_to_server(self._local_models, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, *services, "grpc.health.v1.Health")
        self._server.add_generic_rpc_handlers((Reflection(names),))

    async def start(self) -> int:
        """Listens; gives the TCP port, or 1 on a Unix socket. Raises `OSError` when the address cannot be had."""
        await self._health.set(SERVICE, _NOT_SERVING)
        port = self._bind(self._host.config.listen)
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
        await self._local_models.aclose()
        await self._media_provider.told(self._host.config.close_grace)
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
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        finally:
            if before is not None:
                os.umask(before)
        if port == 0:
            raise OSError(f"cannot listen on {address}")
        return port
