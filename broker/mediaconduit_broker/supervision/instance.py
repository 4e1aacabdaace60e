"""One running sidecar as the broker talks to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf.struct_pb2 import Struct
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit import tasks
from mediaconduit.channels import open_channel
from mediaconduit.errors import MediaConduitError, PreconditionError, Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import (
    local_models_pb2_grpc,
    models_pb2,
    provider_pb2,
    provider_pb2_grpc,
    voices_pb2_grpc,
)

from mediaconduit_broker.runners import Exit, Sidecar
from mediaconduit_broker.secrets import Secret

READY_SERVICE: Final = "mediaconduit.v1.MediaProvider"
_UNARY_SECONDS: Final = 30.0


class Instance:
    """A sidecar, its channel, and what it said of itself."""

    def __init__(self, sidecar: Sidecar, nonce: str) -> None:
        self.sidecar = sidecar
        self._nonce = nonce
        self.channel = open_channel(sidecar.target, sidecar.tls)
        # The stubs that mypy-protobuf types are shared by both flavours of grpc; at run time this is the aio one.
        self.provider: Any = provider_pb2_grpc.MediaProviderStub(self.channel)
        self.voices: Any = voices_pb2_grpc.VoicesStub(self.channel)
        self.local_models: Any = local_models_pb2_grpc.LocalModelsStub(self.channel)
        self._health: Any = health_pb2_grpc.HealthStub(self.channel)
        self.description = provider_pb2.DescribeResponse()
        self.models: tuple[models_pb2.Model, ...] = ()
        self.provisional = False
        """Whether these models are what the provider knows without having asked its vendor."""
        self.ready_since: float | None = None

    async def describe(self) -> provider_pb2.DescribeResponse:
        """What it says of itself; waits until it answers.

        Raises:
            PreconditionError: WRONG_INSTANCE: another process answered.
        """
        answer = await self.provider.Describe(provider_pb2.DescribeRequest(), wait_for_ready=True)
        if answer.instance_id != self._nonce:
            raise PreconditionError("another process answered on the sidecar's socket", reason=Reason.WRONG_INSTANCE)
        self.description = answer
        return self.description

    async def describes_again(self, timeout: float) -> bool:
        """Whether it has said anew what it is; when it does not in time, `description` stays as it was."""
        asked = tasks.start(self.describe(), name="describe")
        await asyncio.wait([asked], timeout=timeout)
        answered = asked.done() and asked.exception() is None
        await tasks.cancel_and_join(asked)
        return answered

    async def configure(self, settings: Mapping[str, Any] | None, secrets: Mapping[str, Secret]) -> None:
        """Hands settings and secrets over: all of them, or None to leave the settings as they are.

        Raises:
            MediaConduitError: As the provider refuses them.
        """
        request = provider_pb2.ConfigureRequest(
            settings=to_struct(settings) if settings is not None else None,
            secrets={name: secret.reveal() for name, secret in secrets.items()},
        )
        try:
            await self.provider.Configure(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def serving(self) -> None:
        """Returns once it takes calls. An event of its health service, not a poll."""
        watch = self._health.Watch(health_pb2.HealthCheckRequest(service=READY_SERVICE))
        try:
            async for answer in watch:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    self.ready_since = time.monotonic()
                    return
        finally:
            watch.cancel()

    async def healthy(self, timeout: float) -> bool:
        """Its health now."""
        try:
            request = health_pb2.HealthCheckRequest(service=READY_SERVICE)
            answer = await self._health.Check(request, timeout=timeout)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def list_models(self, *, refresh: bool = False) -> Sequence[models_pb2.Model]:
        """All its models, over all pages; remembered as `models`."""
        found: list[models_pb2.Model] = []
        token = ""
        while True:
            request = provider_pb2.ListModelsRequest(page_size=500, page_token=token, refresh=refresh)
            try:
                page = await self.provider.ListModels(request, timeout=_UNARY_SECONDS)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            found += page.models
            token = page.next_page_token
            if not token:
                break
        self.models, self.provisional = tuple(found), page.provisional
        return self.models

    async def ended(self, within: float) -> Exit | None:
        """How the process ended, when it does within so many seconds; for a connection that broke."""
        try:
            async with asyncio.timeout(within):
                return await self.sidecar.wait()
        except TimeoutError:
            return None

    @property
    def uptime(self) -> float:
        """Seconds since it became ready; 0 before."""
        return time.monotonic() - self.ready_since if self.ready_since is not None else 0.0

    async def aclose(self, grace: float) -> None:
        """Ends the process, then the channel."""
        try:
            await self.sidecar.stop(grace)
        finally:
            await self.channel.close(None)


def to_struct(settings: Mapping[str, Any]) -> Struct:
    """Settings as they travel.

    Raises:
        PreconditionError: INPUT_INVALID for a value that JSON has not.
    """
    struct = Struct()
    try:
        struct.update(dict(settings))
    except (ValueError, TypeError) as error:
        raise PreconditionError(f"settings: {error}", reason=Reason.INPUT_INVALID) from None
    return struct


def translated(error: BaseException) -> MediaConduitError | None:
    """A failure of bringing a sidecar up as one of ours; None for what is none."""
    if isinstance(error, MediaConduitError):
        return error
    if isinstance(error, grpc.aio.AioRpcError):
        return from_rpc_error(error)
    return None
