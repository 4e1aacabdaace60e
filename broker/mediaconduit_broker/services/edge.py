"""Between gRPC and our services: every method of a service, with its edge.

A service class has one method in snake case for every RPC: ``(self, request) -> answer``, or an async generator
``(self, request)`` for a stream. Typed errors become statuses here, everything else an error id.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from mediaconduit.errors import InternalError, InvalidRequestError, MediaConduitError
from mediaconduit.status import abort, from_rpc_error

_log = structlog.get_logger(__name__)

_PASS: Final = (asyncio.CancelledError, grpc.aio.AbortError, GeneratorExit, KeyboardInterrupt, SystemExit)

_HANDLERS: Final = (
    grpc.unary_unary_rpc_method_handler,
    grpc.unary_stream_rpc_method_handler,
    grpc.stream_stream_rpc_method_handler,
)

Handler = Callable[[Any, Any], Awaitable[Any]]


def service_handlers(descriptor: ServiceDescriptor, service: object) -> grpc.GenericRpcHandler:
    """Handlers for all methods of a service.

    A method marked by `as_bytes` gets ``(frames, context)`` undecoded and writes by itself.
    """
    table: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in descriptor.methods:
        implementation = getattr(service, re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower())
        deserialize: Any = GetMessageClass(method.input_type).FromString
        serialize: Any = GetMessageClass(method.output_type).SerializeToString
        if getattr(implementation, "as_bytes", False):
            raw = (
                grpc.stream_stream_rpc_method_handler
                if method.client_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            table[method.name] = raw(_guarded(implementation))
        elif method.server_streaming:
            table[method.name] = grpc.unary_stream_rpc_method_handler(
                _streaming(implementation), deserialize, serialize
            )
        else:
            table[method.name] = grpc.unary_unary_rpc_method_handler(_unary(implementation), deserialize, serialize)
    return grpc.method_handlers_generic_handler(descriptor.full_name, table)


def as_bytes(method: Any) -> Any:
    """Marks a method that takes and writes serialised messages."""
    method.as_bytes = True
    return method


def _unary(method: Callable[[Any], Awaitable[Any]]) -> Handler:
    async def call(request: Any, context: Any) -> Any:
        return await method(request)

    return _guarded(call)


def _streaming(method: Callable[[Any], AsyncGenerator[Any, None]]) -> Handler:
    # Answers go through ``context.write``: a cancelled handler then ends in its own task, where clean-up works.
    async def call(request: Any, context: Any) -> None:
        answers = method(request)
        try:
            async for answer in answers:
                await context.write(answer)
        finally:
            await answers.aclose()

    return _guarded(call)


def _guarded(handler: Handler) -> Handler:
    async def call(request: Any, context: Any) -> Any:
        try:
            return await handler(request, context)
        except _PASS:
            raise
        except Exception as error:
            await abort(context, _typed(error))

    return call


def _typed(error: Exception) -> MediaConduitError:
    if isinstance(error, MediaConduitError):
        return error
    if isinstance(error, grpc.aio.AioRpcError):
        return from_rpc_error(error)
    if isinstance(error, DecodeError):
        return InvalidRequestError("the request is no message of this contract")
    unexpected = InternalError.unexpected()
    _log.error("unexpected", error_id=unexpected.metadata["error_id"], exc_info=error)
    return unexpected
