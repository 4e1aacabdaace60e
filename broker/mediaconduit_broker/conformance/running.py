"""One sidecar under test, and the way to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any, Final

import grpc
from google.protobuf.struct_pb2 import Struct
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.channels import open_channel
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc

from mediaconduit_broker.runners import Launch
from mediaconduit_broker.runners.process import ProcessSidecar
from mediaconduit_broker.secrets import SECRETS_VARIABLE, Secret

SERVICE: Final = "mediaconduit.v1.MediaProvider"
UNARY_SECONDS: Final = 15.0
"""Longest an answer that is no stream may take."""
FREE_SECONDS: Final = 4.0
"""A cancelled call frees its place within 2 s; as much again for a busy machine."""
_POLL_SECONDS: Final = 0.02


class Running:
    """One sidecar and the way to it."""

    def __init__(self, sidecar: ProcessSidecar, launch: Launch, secrets: Mapping[str, Secret] | None = None) -> None:
        self.sidecar = sidecar
        self.launch = launch
        self._secrets = {name: secret.reveal() for name, secret in (secrets or {}).items()}
        self.channel = open_channel(sidecar.target, sidecar.tls)
        # The stubs that mypy-protobuf types are shared by both flavours of grpc; at run time these are the aio ones.
        self.stub: Any = provider_pb2_grpc.MediaProviderStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)
        self.alive: int = health_pb2.HealthCheckResponse.UNKNOWN
        """What health said of the process as soon as it answered."""
        self.statuses: list[int] = []
        """What health said of the service while it started."""

    async def describe(self) -> provider_pb2.DescribeResponse:
        """What it says of itself."""
        answer: provider_pb2.DescribeResponse = await self.stub.Describe(
            provider_pb2.DescribeRequest(), timeout=UNARY_SECONDS
        )
        return answer

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Hands settings over."""
        values = Struct()
        values.update(dict(settings))
        request = provider_pb2.ConfigureRequest(settings=values, secrets=self._secrets)
        await self.stub.Configure(request, timeout=UNARY_SECONDS)

    async def ready(self, settings: Mapping[str, Any]) -> None:
        """Returns once it takes calls."""
        await self.stub.Describe(provider_pb2.DescribeRequest(), wait_for_ready=True)
        with contextlib.suppress(grpc.aio.AioRpcError):
            self.alive = (await self.health.Check(health_pb2.HealthCheckRequest(), timeout=UNARY_SECONDS)).status
        watch = self.health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        try:
            first = await watch.read()
            self.statuses.append(first.status)
            if SECRETS_VARIABLE in self.launch.variables:
                await self.stub.Configure(provider_pb2.ConfigureRequest(secrets=self._secrets))
            if settings:
                await self.configure(settings)
            while self.statuses[-1] != health_pb2.HealthCheckResponse.SERVING:
                self.statuses.append((await watch.read()).status)
        finally:
            watch.cancel()

    async def freed(self, most: int = 0) -> provider_pb2.DescribeResponse:
        """What it says of itself once at most so many calls hold a place, or after `FREE_SECONDS`."""
        deadline = time.monotonic() + FREE_SECONDS
        # Only asking tells: the contract has no event for it.
        while (said := await self.describe()).active_calls > most and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        return said

    async def aclose(self) -> None:
        """Ends it and whatever it started."""
        try:
            await self.sidecar.stop(0)
        finally:
            await self.channel.close(None)
