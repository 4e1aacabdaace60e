"""A bare byte relay: reads a frame, writes it, nothing else. ``python -m bench.bare.relay TARGET``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
from mediaconduit.channels import SERVER_OPTIONS, open_channel

TRANSFORM = "/mediaconduit.v1.MediaProvider/Transform"


class Relay(grpc.GenericRpcHandler):
    """Forwards Transform of one target."""

    def __init__(self, target: str) -> None:
        # The options of our own channels: only our code is to make a difference, not how gRPC is set up.
        self._transform: Any = open_channel(target).unary_stream(TRANSFORM)

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        return grpc.unary_stream_rpc_method_handler(self._forward) if details.method == TRANSFORM else None

    async def _forward(self, frame: bytes, context: Any) -> None:
        call = self._transform(frame, timeout=context.time_remaining())
        try:
            while (answer := await call.read()) is not grpc.aio.EOF:
                await context.write(answer)
        finally:
            call.cancel()


async def main(target: str) -> None:
    """Serves until it is ended."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((Relay(target),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"ready 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
