"""Where gRPC ends: everything above raises `mediaconduit.errors` and knows no channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import grpc

from mediaconduit.errors import CallCancelledError
from mediaconduit.status import from_rpc_error

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryCall

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


async def answer(call: UnaryUnaryCall[Any, T]) -> T:
    """The answer of a unary call, or its typed error."""
    try:
        return await call
    except grpc.RpcError as error:
        raise from_rpc_error(error) from None
    except asyncio.CancelledError:
        if being_cancelled():
            raise
        raise _closed() from None


class Readable(Protocol[T_co]):
    """A call that streams back."""

    async def read(self) -> Any:
        """The next message, EOF at the end."""

    def cancel(self) -> bool:
        """Ends it."""

    def done(self) -> bool:
        """Whether it has ended."""


class Responses(Generic[T]):
    """The messages of one call. Cancels the call when nobody can read them any more."""

    def __init__(self, call: Readable[T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call

    async def read(self) -> T | None:
        """The next message; None at the end. Cancelling this cancels the call."""
        try:
            message = await self._call.read()
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        except asyncio.CancelledError:
            if being_cancelled():
                self._call.cancel()
                raise
            raise _closed() from None
        return None if message is grpc.aio.EOF else message

    def cancel(self) -> None:
        """Ends the call at once. Harmless when it has ended."""
        self._call.cancel()

    def __del__(self) -> None:
        if not self._call.done():
            run_on(self._loop, self._call.cancel)


def run_on(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Runs a function in its loop's thread, at once when this is it. For collection, which may run in any thread."""
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:
        here = False
    if here:
        function()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(function)


def being_cancelled() -> bool:
    """Whether a CancelledError is meant for the running task, and not news of a call that somebody else cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _closed() -> CallCancelledError:
    return CallCancelledError("the call was cancelled: its stream or the client was closed")
