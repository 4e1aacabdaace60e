"""For scripts without ``async``: the same client, run by an event loop in a thread.

::

    with mediaconduit.connect_sync() as mc:
        for event in mc.model("cowsay/default").stream("hi"):
            print(event.text, end="")

Everything of the asynchronous API is there under the same name: what is awaited there just returns here, ``async for``
is ``for``, ``async with`` is ``with``. Nothing is written twice: `Front` stands before each object and carries calls
over.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from functools import wraps
from inspect import isawaitable
from typing import Any, Final, Self, TypeVar

from mediaconduit.broker import BrokerAdmin
from mediaconduit.calls import Stream
from mediaconduit.client import DEFAULT_TARGET, Client, Provider, connect
from mediaconduit.conversation import Conversation
from mediaconduit.edge import Feed
from mediaconduit.live import LiveSession
from mediaconduit.model import Model

T = TypeVar("T")

_FRONTED: Final = (Client, Provider, Model, Conversation, LiveSession, Stream, Feed, BrokerAdmin)
_END: Final = object()


def connect_sync(target: str = DEFAULT_TARGET, *, api_key: str | None = None) -> SyncClient:
    """As `connect`, to be used as ``with``."""
    return SyncClient(target, api_key)


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._main, args=(started,), name="mediaconduit", daemon=True)
        self._thread.start()
        self._loop = started.result()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a function in the loop and waits for what it gives. Ctrl-C here cancels it there."""

        async def call() -> Any:
            value = function(*args, **kwargs)
            return await value if isawaitable(value) else value

        future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Cancels what still runs and returns when the thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _main(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner() as runner:
            self._stopping = asyncio.Event()
            started.set_result(runner.get_loop())
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._stopping.wait()


class Front:
    """Stands before an object of the asynchronous API."""

    def __init__(self, thread: LoopThread, behind: Any) -> None:
        self._thread = thread
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"no '{name}' here; was the client entered? with connect_sync() as mc")
        value = getattr(self._behind, name)
        if not callable(value):
            return self._fronted(value)

        @wraps(value)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._fronted(self._thread.run(value, *args, **kwargs))

        return call

    def __iter__(self) -> Iterator[Any]:
        events = self._thread.run(self._behind.__aiter__)
        try:
            while (event := self._thread.run(_next, events)) is not _END:
                yield event
        finally:
            # Dropping the iterator is leaving the loop: it cancels the call, whichever thread this runs in.
            del events

    def __enter__(self) -> Self:
        self._thread.run(self._behind.__aenter__)
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.run(self._behind.__aexit__, *error)

    def _fronted(self, value: Any) -> Any:
        return Front(self._thread, value) if isinstance(value, _FRONTED) else value


class SyncClient(Front):
    """A client for scripts. Made by `connect_sync`."""

    def __init__(self, target: str, api_key: str | None) -> None:
        self._target, self._api_key = target, api_key

    def __enter__(self) -> Self:
        super().__init__(LoopThread(), connect(self._target, api_key=self._api_key))
        return self

    def __exit__(self, *error: object) -> None:
        try:
            super().__exit__(*error)
        finally:
            self._thread.stop()


def _next(events: Any) -> Awaitable[Any]:
    return anext(events, _END)
