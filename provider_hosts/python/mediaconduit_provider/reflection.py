"""gRPC reflection, loaded when somebody asks for it: it costs 4 MB and 80 ms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import grpc

_METHODS: Final = frozenset(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")
)
"""Both versions have the same messages."""


class Reflection(grpc.GenericRpcHandler):
    """Answers reflection for services."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = (*services, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
        self._handler: Any = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of the one method, or nothing for all others."""
        if handler_call_details.method not in _METHODS:
            return None
        if self._handler is None:
            from grpc_reflection.v1alpha import reflection, reflection_pb2

            servicer = reflection.aio.ReflectionServicer(self._services)
            self._handler = grpc.stream_stream_rpc_method_handler(
                servicer.ServerReflectionInfo,
                request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
                response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
            )
        return self._handler
