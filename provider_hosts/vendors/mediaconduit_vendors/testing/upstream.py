"""A vendor made up: a real HTTP/1.1 server on a loopback port that answers as told and remembers what it was asked.

::

    async with Upstream({"POST /v1/chat/completions": sse({"choices": []}, "[DONE]").stall(after=1)}) as upstream:
        provider = MyProvider(base_url=f"{upstream.url}/v1")
        ...
        request = await upstream.request()
        assert request.json["stream"] is True
        await upstream.closed(request)     # the client has ended its connection
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from mediaconduit.tasks import TaskOwner

from mediaconduit_vendors.testing.connection import Connection
from mediaconduit_vendors.testing.replies import Reply, failure
from mediaconduit_vendors.testing.requests import Request

Answer: TypeAlias = "Reply | Sequence[Reply] | Callable[[Request], Reply]"
"""One reply for every request; one after the other, of which the last stays; or whatever a function makes of it."""


class Upstream:
    """The server. It listens while the block runs and has nothing left open after it.

    Args:
        routes: What to answer, by "METHOD /path". ``{name}`` stands for a segment of the path, ``{name*}`` for all of
            the rest; the query plays no part. The first route that fits is taken.
        check: Called with every request before it is answered. What it raises as ValueError or AssertionError is a
            problem.

    A request that no route takes is answered with 404 and is a problem, and so is one that is no HTTP. Problems fail
    the block at its end (AssertionError), unless it fails by itself.
    """

    def __init__(self, routes: Mapping[str, Answer] | None = None, *, check: Callable[[Request], None] | None = None):
        self.requests: list[Request] = []
        """In the order in which they had come whole."""
        self.problems: list[str] = []
        """What was asked and should not have been."""
        self.connections = 0
        """How many were ever opened."""
        self._routes: list[_Route] = []
        self._check = check
        self._more = asyncio.Event()
        self._open: set[Connection] = set()
        self._owner = TaskOwner()
        self._server: asyncio.Server | None = None
        for pattern, answer in (routes or {}).items():
            self.route(pattern, answer)

    def route(self, pattern: str, answer: Answer) -> None:
        """Answers a route from now on, instead of what was there for the same pattern."""
        self._routes = [route for route in self._routes if route.pattern != pattern]
        self._routes.append(_Route(pattern, answer))

    @property
    def url(self) -> str:
        """ "http://127.0.0.1:port", without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the server runs only inside `async with`")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def request(self, number: int = 0) -> Request:
        """The request of that number, from 0; waits until it has come."""
        while len(self.requests) <= number:
            await self._more.wait()
        return self.requests[number]

    async def closed(self, request: Request) -> None:
        """Returns when the connection of the request has ended; `Request.left` says whether its peer did it."""
        await request.gone.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._open):
            connection.end(reset=False)
        await self._owner.aclose()
        for connection in list(self._open):
            await connection.ended.wait()
        if error is None and self.problems:
            raise AssertionError("the vendor was asked what it should not be:\n" + "\n".join(self.problems))

    def _connect(self) -> Connection:
        connection = Connection(self.connections, self._taken, self.problems.append, self._open.discard)
        self.connections += 1
        self._open.add(connection)
        connection.task = self._owner.start(connection.serve(), name="a connection of a made-up vendor")
        return connection

    def _taken(self, request: Request) -> Reply:
        """Records a request and says what to answer."""
        request.number = len(self.requests)
        self.requests.append(request)
        self._more.set()
        self._more = asyncio.Event()
        if self._check is not None:
            try:
                self._check(request)
            except (ValueError, AssertionError) as error:
                self.problems.append(f"{request.method} {request.target}: {error}")
        for route in self._routes:
            if route.takes(request):
                return route.next(request)
        self.problems.append(f"{request.method} {request.target}: no route for it")
        known = [route.pattern for route in self._routes]
        return failure(404, {"error": {"message": f"no route for {request.method} {request.path}", "routes": known}})


class _Route:
    """A pattern and what is answered to it."""

    def __init__(self, pattern: str, answer: Answer) -> None:
        self.pattern = pattern
        self._method, _, path = pattern.partition(" ")
        self._path = re.compile(_expression(path))
        self._function = answer if callable(answer) else None
        self._replies = [] if callable(answer) else [answer] if isinstance(answer, Reply) else list(answer)
        if not self._method.isupper() or not path.startswith("/"):
            raise ValueError(f'a route reads "METHOD /path", not {pattern!r}')
        if self._function is None and not self._replies:
            raise ValueError(f"no reply for {pattern}")

    def takes(self, request: Request) -> bool:
        return request.method == self._method and self._path.fullmatch(request.path) is not None

    def next(self, request: Request) -> Reply:
        if self._function is not None:
            return self._function(request)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def _expression(path: str) -> str:
    parts = re.split(r"(\{[^}]+\})", path)
    return "".join(
        (".+" if part.endswith("*}") else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts
    )
