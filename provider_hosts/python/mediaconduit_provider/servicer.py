"""`mediaconduit.v1.MediaProvider`, served by a `Host`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, cast

import grpc
from mediaconduit.errors import InvalidRequestError, MediaConduitError
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_provider import metadata
from mediaconduit_provider.host import Host, State
from mediaconduit_provider.live import LiveCall
from mediaconduit_provider.rpc import CONTRACT_REVISION, Context, page_of, typed, unexpected, write
from mediaconduit_provider.transform import Run
from mediaconduit_provider.values import struct_to_plain


class MediaProviderServicer(provider_pb2_grpc.MediaProviderServicer):
    """Translates calls of the contract; the host does the work."""

    def __init__(self, host: Host, services: Sequence[str] = ()) -> None:
        self._host = host
        self._services = services
        self._open = 0
        self._none_open = asyncio.Event()
        self._none_open.set()

    async def told(self, timeout: float) -> None:
        """Returns when the end of every call is on its way to its caller, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._none_open.wait()

    def _opened(self, context: Context) -> None:
        self._open += 1
        self._none_open.clear()
        context.add_done_callback(cast(Any, self._closed))

    def _closed(self, _: Context) -> None:
        self._open -= 1
        if not self._open:
            self._none_open.set()

    @typed
    async def Describe(  # noqa: N802
        self, request: provider_pb2.DescribeRequest, context: Context
    ) -> provider_pb2.DescribeResponse:
        """Who this is and what it can do."""
        host, provider = self._host, self._host.provider
        return provider_pb2.DescribeResponse(
            provider_id=host.config.provider_id,
            display_name=provider.display_name or type(provider).__name__,
            version=host.config.version,
            instance_id=host.config.instance_id,
            contract_revision=CONTRACT_REVISION,
            capabilities=host.catalog.capabilities,
            services=self._services,
            settings_schema=json.dumps(provider.settings_schema),
            max_concurrency=provider.max_concurrency,
            active_calls=host.calls.active,
            stuck_calls=host.calls.stuck,
            loading=provider.loading_progress if host.state is State.LOADING else None,
        )

    @typed
    async def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, context: Context
    ) -> provider_pb2.ConfigureResponse:
        """Sets credentials and settings."""
        settings = struct_to_plain(request.settings) if request.HasField("settings") else None
        await self._host.configure(settings, dict(request.secrets))
        return provider_pb2.ConfigureResponse()

    @typed
    async def ListModels(  # noqa: N802
        self, request: provider_pb2.ListModelsRequest, context: Context
    ) -> provider_pb2.ListModelsResponse:
        """Lists models."""
        self._host.check_ready()
        entries = await self._host.catalog.list(refresh=request.refresh)
        wanted = [e for e in entries if not request.capability or request.capability in e.model.capabilities]
        page, token = page_of(wanted, request.page_size, request.page_token)
        response = provider_pb2.ListModelsResponse(models=[entry.to_proto() for entry in page], next_page_token=token)
        response.provisional = self._host.catalog.provisional
        if not response.provisional:
            response.refresh_time.FromNanoseconds(int(self._host.catalog.refresh_time * 1e9))
        return response

    @typed
    async def GetModel(  # noqa: N802
        self, request: provider_pb2.GetModelRequest, context: Context
    ) -> provider_pb2.GetModelResponse:
        """One model, with the schema of its options."""
        self._host.check_ready()
        entry = await self._host.catalog.find(request.name)
        return provider_pb2.GetModelResponse(model=entry.to_proto(with_schema=True))

    @typed
    async def Transform(self, request: TransformRequest, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """Transforms whole input."""
        self._opened(context)
        facts = metadata.read(context.invocation_metadata(), context.time_remaining(), request.request_id)
        call = await self._host.prepare(request, facts, arriving=False)
        run = self._host.start(call, request, facts)
        await _write_all(run, context)

    @typed
    async def TransformLive(self, request_iterator: Any, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """Transforms input that arrives in pieces."""
        self._opened(context)
        first = await context.read()
        if first is grpc.aio.EOF or first.WhichOneof("piece") != "start":
            raise InvalidRequestError.at("start", "must be the first piece")
        request = first.start
        facts = metadata.read(context.invocation_metadata(), context.time_remaining(), request.request_id)
        call = await self._host.prepare(request, facts, arriving=True)
        assert isinstance(call, LiveCall)
        run = self._host.start(call, request, facts)
        reader = start(_receive(call, run, context), name=f"{call.generation} input")
        try:
            await _write_all(run, context)
        finally:
            await cancel_and_join(reader)

    @typed
    async def WatchGenerations(  # type: ignore[override]  # noqa: N802
        self, request: provider_pb2.WatchGenerationsRequest, context: Context
    ) -> None:
        """Records of calls as they end."""
        async for batch in self._host.generations.watch(request.after):
            await write(context, provider_pb2.WatchGenerationsResponse(generations=batch))


async def _write_all(run: Run, context: Context) -> None:
    """Writes one message at a time. However this is left, the author's code is cancelled if it still runs."""
    try:
        while (message := await run.take()) is not None:
            await write(context, message)
    finally:
        run.leave()


async def _receive(call: LiveCall, run: Run, context: Context) -> None:
    """Feeds the call. A piece that is wrong ends the call with that error."""
    try:
        await call.receive(context.read)
    except MediaConduitError as error:
        run.leave(error)
    except asyncio.CancelledError:
        raise
    except Exception:
        if not context.done():
            run.leave(unexpected("TransformLive"))
