"""What the clients talk to: a provider that does on demand what a model may do, behind a real gRPC server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.errors import NotFoundError, Reason
from mediaconduit.status import abort
from mediaconduit.v1.events_pb2 import FINISH_REASON_LENGTH, OUTPUT_KIND_TEXT, TransformEvent, TransformResponse
from mediaconduit.v1.provider_pb2_grpc import MediaProviderServicer, add_MediaProviderServicer_to_server
from mediaconduit.v1.transform_pb2 import TransformRequest

SEEN_SECONDS = 10.0
"""How long a cancellation may take to reach the server before the test gives up."""

Context = grpc.aio.ServicerContext[TransformRequest, TransformResponse]


@dataclass
class Scripted(MediaProviderServicer):
    """Repeats the words of its input; every model does so in a manner of its own.

    Asked for a limited answer, all give that many words. Without a limit:

    - ``endless``: goes on for ever without a pause
    - ``silent``: falls silent after its first word

    And, limited or not:

    - ``gated``: pauses after its first word until the test opens the gate
    - ``headless``: a success without `completed`, against the contract

    That a model is unknown it says only once a call was cancelled: the caller's connection is still open then, so it
    was not the connection's end that cancelled.
    """

    MODELS = ("endless", "silent", "gated", "headless")

    unknown_model: Reason = Reason.MODEL_NOT_FOUND
    """What it says about a model it does not have."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """A call was cancelled, as the server saw it."""

    async def Transform(self, request: TransformRequest, context: Context) -> None:  # noqa: N802
        if request.model not in self.MODELS:
            await asyncio.wait_for(self.cancelled.wait(), SEEN_SECONDS)
            await abort(context, NotFoundError(f"there is no model {request.model!r}", reason=self.unknown_model))
        try:
            await self._answer(request, context)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def _answer(self, request: TransformRequest, context: Context) -> None:
        words = request.turns[0].parts[0].text.split()
        options = request.options.text
        limit = options.max_output_tokens if options.HasField("max_output_tokens") else None
        begin = [{"started": {"model": request.model}}, {"output_started": {"index": 0, "kind": OUTPUT_KIND_TEXT}}]
        await _send(context, *begin, _delta(words[0]))
        if request.model == "silent" and limit is None:
            await asyncio.Event().wait()
        if request.model == "gated":
            await self.gate.wait()
        count = 1
        while limit is None or count < limit:
            await _send(context, _delta(" " + words[count % len(words)]))
            count += 1
        await _send(context, {"output_completed": {"index": 0}})
        # An output that is not streamed.
        whole = {"index": 1, "part": {"text": " (whole)"}}
        await _send(context, {"output_started": {"index": 1, "kind": OUTPUT_KIND_TEXT}}, {"output_completed": whole})
        if request.model != "headless":
            await _send(context, {"completed": {"finishes": [{"reason": FINISH_REASON_LENGTH}]}})


def _delta(text: str) -> dict[str, object]:
    return {"output_delta": {"index": 0, "text": text}}


async def _send(context: Context, *events: dict[str, object]) -> None:
    await context.write(TransformResponse(events=[TransformEvent(**event) for event in events]))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Target:
    """A server, one of its models that streams without end, and how to learn that the server saw a cancellation."""

    address: str
    model: str
    provider: Scripted

    async def cancellation_seen(self) -> None:
        """Returns once it did; raises TimeoutError when it does not."""
        await asyncio.wait_for(self.provider.cancelled.wait(), SEEN_SECONDS)


@asynccontextmanager
async def serve(provider: Scripted) -> AsyncIterator[str]:
    """Runs the provider; gives its address."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_MediaProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(grace=0)


@pytest.fixture
async def scripted() -> Scripted:
    """The provider behind `address`."""
    return Scripted()


@pytest.fixture
async def address(scripted: Scripted) -> AsyncIterator[str]:
    """Where `scripted` is served."""
    async with serve(scripted) as address:
        yield address


@pytest.fixture(params=["endless", "silent"])
async def target(request: pytest.FixtureRequest, scripted: Scripted, address: str) -> Target:
    """What a well-behaved server is; any other that streams without end may stand in its place."""
    return Target(address, request.param, scripted)
