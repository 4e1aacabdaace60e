"""`grpc.health.v1`, without its package: the two messages have one field each."""

from __future__ import annotations

import grpc
from google.protobuf import wrappers_pb2

from mediaconduit.edge import answer

_SERVING = 1


async def serving(channel: grpc.aio.Channel, service: str, metadata: grpc.aio.Metadata) -> bool:
    """Whether a service takes calls. Raises `NotFoundError` for one the server does not know."""
    # On the wire HealthCheckRequest is a StringValue, HealthCheckResponse an Int32Value.
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=wrappers_pb2.StringValue.SerializeToString,
        response_deserializer=wrappers_pb2.Int32Value.FromString,
    )
    return (await answer(check(wrappers_pb2.StringValue(value=service), metadata=metadata))).value == _SERVING
