"""What an author would write by hand with grpc.aio: every event is a message of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from mediaconduit.channels import SERVER_OPTIONS
from mediaconduit.v1 import models_pb2, provider_pb2, provider_pb2_grpc
from mediaconduit.v1.events_pb2 import OutputKind, TransformEvent, TransformResponse

TOKEN = "token "


class Bare(provider_pb2_grpc.MediaProviderServicer):
    """Serves ``paced``: the text of a call is "COUNT SECONDS", events and the pause before each."""

    async def Describe(self, request: Any, context: Any) -> provider_pb2.DescribeResponse:  # noqa: N802
        """Who this is."""
        return provider_pb2.DescribeResponse(
            provider_id="bare", instance_id=os.environ.get("MEDIACONDUIT_INSTANCE", ""), contract_revision=1
        )

    async def ListModels(self, request: Any, context: Any) -> provider_pb2.ListModelsResponse:  # noqa: N802
        """Its one model."""
        model = models_pb2.Model(name="providers/bare/models/paced", capabilities=["text-to-text"])
        return provider_pb2.ListModelsResponse(models=[model])

    async def Transform(self, request: Any, context: Any) -> None:  # noqa: N802
        """Writes one event after the other."""
        count, pause = request.turns[0].parts[0].text.split()
        seconds = float(pause)
        begun = TransformEvent(sequence=1)
        begun.output_started.kind = OutputKind.OUTPUT_KIND_TEXT
        await context.write(TransformResponse(events=[begun]))
        for number in range(2, int(count) + 2):
            if seconds:
                await asyncio.sleep(seconds)
            response = TransformResponse()
            event = response.events.add()
            event.sequence = number
            event.output_delta.text = TOKEN
            await context.write(response)
        ended = TransformEvent(sequence=int(count) + 2)
        ended.completed.SetInParent()
        await context.write(TransformResponse(events=[ended]))


async def main() -> None:
    """Serves until stdin ends."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    provider_pb2_grpc.add_MediaProviderServicer_to_server(Bare(), server)
    servicer = health.aio.HealthServicer()
    await servicer.set("mediaconduit.v1.MediaProvider", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(os.environ["MEDIACONDUIT_LISTEN"])
    await server.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
