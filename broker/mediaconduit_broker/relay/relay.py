"""Transform and TransformLive: routed, forwarded as bytes, ended with a typed status."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from mediaconduit import channels, tasks
from mediaconduit.channels import GENERATION_HEADER, QUEUE_HEADER, SOURCE_HEADER
from mediaconduit.errors import InternalError, InvalidRequestError, Reason, UnavailableError
from mediaconduit.v1.transform_pb2 import TransformLiveRequest, TransformRequest

from mediaconduit_broker.config import Limits
from mediaconduit_broker.registry import Registry
from mediaconduit_broker.relay.facts import CallFacts
from mediaconduit_broker.relay.failures import explain
from mediaconduit_broker.relay.pump import ChannelClosedError, Write, pump
from mediaconduit_broker.relay.replay import Replays, Run
from mediaconduit_broker.relay.speeds import Speeds
from mediaconduit_broker.routing import Route
from mediaconduit_broker.supervision import Instance, Supervisor

_TRANSFORM: Final = "/mediaconduit.v1.MediaProvider/Transform"
_TRANSFORM_LIVE: Final = "/mediaconduit.v1.MediaProvider/TransformLive"
_PASSED_ON: Final = frozenset({"traceparent", "tracestate"})

Metadata = Sequence[tuple[str, str]]
Context = grpc.aio.ServicerContext[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Upstream:
    """A sidecar ready to take a call."""

    supervisor: Supervisor
    instance: Instance
    route: Route
    metadata: Metadata


class Relay:
    """Carries calls to sidecars.

    Args:
        registry: Where the sidecars are.
        limits: What is kept for repeated requests.
    """

    def __init__(self, registry: Registry, limits: Limits) -> None:
        self._registry = registry
        self._replays = Replays(limits.replay_bytes, limits.replay_seconds)
        self.speeds = Speeds()
        """How soon models answer."""

    async def aclose(self) -> None:
        """Ends what is kept for repeated requests."""
        await self._replays.aclose()

    async def transform(self, frame: bytes, context: Context, write: Write) -> None:
        """A whole request.

        Args:
            frame: The serialised TransformRequest.
            context: Of the caller's call: its deadline and metadata.
            write: Where answers go.

        Raises:
            MediaConduitError: How the call failed.
        """
        request = TransformRequest.FromString(frame)

        async def run(write: Write) -> None:
            await self._transform(frame, request, context, write)

        await self._once(request, context, run, write)

    async def _once(self, request: TransformRequest, context: Context, run: Run, write: Write) -> None:
        if request.request_id:
            await self._replays.follow("", request.request_id, request, run, write)
        else:
            await run(write)

    async def _transform(self, frame: bytes, request: TransformRequest, context: Context, write: Write) -> None:
        facts = CallFacts()
        try:
            await self._try(frame, request, context, write, facts)
        except UnavailableError as error:
            if error.reason is not Reason.PROVIDER_CRASHED or facts.frames:
                raise
            # The sidecar died before it had answered anything, mostly while it was idle: the call never ran.
            await self._try(frame, request, context, write, facts)

    async def _try(
        self, frame: bytes, request: TransformRequest, context: Context, write: Write, facts: CallFacts
    ) -> None:
        async with self._upstream(request, context) as upstream:
            if request.model != upstream.route.model:
                # A field that comes twice counts with its last value: the request need not be written anew.
                frame += TransformRequest(model=upstream.route.model).SerializeToString()
            start: Any = upstream.instance.channel.unary_stream(_TRANSFORM)
            call = start(frame, timeout=context.time_remaining(), metadata=upstream.metadata)
            await self._forward(call, upstream, write, facts)

    async def transform_live(self, frames: AsyncIterator[bytes], context: Context, write: Write) -> None:
        """Pieces of a request; as `transform` otherwise."""
        first = await anext(frames, b"")
        piece = TransformLiveRequest.FromString(first)
        if piece.WhichOneof("piece") != "start":
            raise InvalidRequestError.at("start", "the first piece must be `start`")

        async def run(write: Write) -> None:
            await self._transform_live(piece, frames, context, write)

        await self._once(piece.start, context, run, write)

    async def _transform_live(
        self, piece: TransformLiveRequest, frames: AsyncIterator[bytes], context: Context, write: Write
    ) -> None:
        async with self._upstream(piece.start, context) as upstream:
            if piece.start.model != upstream.route.model:
                piece.start.model = upstream.route.model
            start: Any = upstream.instance.channel.stream_stream(_TRANSFORM_LIVE)
            call = start(timeout=context.time_remaining(), metadata=upstream.metadata)
            sender = tasks.start(_send(call, piece.SerializeToString(), frames), name="relay sender")
            try:
                await self._forward(call, upstream, write, CallFacts())
            finally:
                await tasks.cancel_and_join(sender)

    @contextlib.asynccontextmanager
    async def _upstream(self, request: TransformRequest, context: Context) -> AsyncIterator[Upstream]:
        arrived = time.monotonic()
        route = await self._registry.route(request.model, request.capability)
        supervisor = self._registry.get(route.provider_id)
        async with supervisor.place() as instance:
            metadata = [
                *_passed_on(context),
                (GENERATION_HEADER, f"generations/{request.request_id or uuid.uuid4()}"),
                (SOURCE_HEADER, supervisor.spec.checkout.resolved),
                (QUEUE_HEADER, str(round((time.monotonic() - arrived) * 1000))),
            ]
            yield Upstream(supervisor, instance, route, metadata)

    async def _forward(self, call: Any, upstream: Upstream, write: Write, facts: CallFacts) -> None:
        route = upstream.route
        try:
            await pump(call.read, write, facts.see)
        except (grpc.aio.AioRpcError, ChannelClosedError) as error:
            known = await explain(error, upstream.instance, route.provider_id, upstream.supervisor.logs.redactor)
            raise known from None
        finally:
            call.cancel()
        completed = facts.completed()
        if completed is None:
            raise InternalError(
                "the provider ended the call without saying that it was complete",
                hint="the provider breaks the contract: `mediaconduit test` shows its author where",
            )
        if completed.provenance.HasField("first_output_duration"):
            self.speeds.note(route.model, completed.provenance.first_output_duration.ToNanoseconds() / 1e9)


async def _send(call: Any, first: bytes, frames: AsyncIterator[bytes]) -> None:
    """Forwards the caller's pieces until it half-closes or the call has ended; its status tells the rest."""
    if not await channels.write(call, first):
        return
    async for frame in frames:
        if not await channels.write(call, frame):
            return
    with contextlib.suppress(asyncio.InvalidStateError):
        await call.done_writing()


def _passed_on(context: Context) -> list[tuple[str, str]]:
    return [(key, value) for key, value in context.invocation_metadata() or () if key in _PASSED_ON]  # type: ignore[misc]
