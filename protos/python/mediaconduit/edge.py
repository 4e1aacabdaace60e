"""Where gRPC ends: everything above raises `mediaconduit.errors` and knows no channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from mediaconduit.channels import write
from mediaconduit.errors import CallCancelledError, MediaConduitError
from mediaconduit.status import from_rpc_error

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from grpc.aio import StreamStreamCall, UnaryUnaryCall

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


async def send(call: StreamStreamCall[Any, Any], piece: Message) -> None:
    """Sends a piece, or raises why the call has ended."""
    try:
        sent = await write(call, piece.SerializeToString())
    except asyncio.CancelledError:
        if being_cancelled():
            raise
        raise _closed() from None
    if not sent:
        raise await _why(call)


async def _why(call: StreamStreamCall[Any, Any]) -> MediaConduitError:
    """Why a call that takes nothing any more has ended."""
    code = await call.code()
    if code is grpc.StatusCode.OK:
        return CallCancelledError("the call has ended and takes no more input")
    status = grpc.aio.AioRpcError(code, None, await call.trailing_metadata(), await call.details())
    return from_rpc_error(status)


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

    @property
    def running(self) -> bool:
        """Whether the call has not ended."""
        return not self._call.done()

    def cancel(self) -> None:
        """Ends the call at once. Harmless when it has ended."""
        self._call.cancel()

    def __del__(self) -> None:
        if not self._call.done():
            run_on(self._loop, self._call.cancel)


class Cancellable(Protocol[T_co]):
    """What `Loop` iterates over."""

    loop: asyncio.AbstractEventLoop | None

    def __anext__(self) -> Awaitable[T_co]:
        """The next one."""

    def cancel(self) -> None:
        """Ends the call behind it."""


class Loop(AsyncIterator[T]):
    """One loop over what a call streams: when it is left, the call ends."""

    __slots__ = ("_source",)

    def __init__(self, source: Cancellable[T]) -> None:
        self._source = source

    def __anext__(self) -> Awaitable[T]:
        return self._source.__anext__()

    def __del__(self) -> None:
        if self._source.loop is not None:
            run_on(self._source.loop, self._source.cancel)


class Feed(AsyncIterator[T]):
    """What a call streams back, message by message. Leaving the loop over it cancels the call.

    Args:
        start: Makes the call, when the first message is asked for.
    """

    def __init__(self, start: Callable[[], Readable[T]]) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._start: Callable[[], Readable[T]] | None = start
        self._responses: Responses[T] | None = None

    def __aiter__(self) -> AsyncIterator[T]:
        return Loop(self)

    async def __anext__(self) -> T:
        if self._responses is None:
            if self._start is None:
                raise StopAsyncIteration
            self.loop = asyncio.get_running_loop()
            start, self._start = self._start, None
            self._responses = Responses(start())
        message = await self._responses.read()
        if message is None:
            raise StopAsyncIteration
        return message

    @property
    def running(self) -> bool:
        """Whether the call has begun and not ended."""
        return self._responses is not None and self._responses.running

    def cancel(self) -> None:
        """Ends the call at once. Harmless when it has ended."""
        self._start = None
        if self._responses is not None:
            self._responses.cancel()

    async def aclose(self) -> None:
        """Ends the call."""
        self.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


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
