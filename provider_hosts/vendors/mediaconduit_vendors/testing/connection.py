"""One connection of `Upstream`: requests come in, replies with their faults go out."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import h11
from mediaconduit.tasks import unless

from mediaconduit_vendors.testing.replies import Close, Pause, Reply, Step, Wait
from mediaconduit_vendors.testing.requests import Request


class _Ended(Exception):  # noqa: N818 - no error: a reply says that the connection ends here
    pass


class Connection(asyncio.Protocol):
    """Serves one peer until one of both ends it."""

    def __init__(
        self,
        number: int,
        taken: Callable[[Request], Reply],
        problem: Callable[[str], None],
        forget: Callable[[Connection], None],
    ) -> None:
        self.task: asyncio.Task[None]
        self.ended = asyncio.Event()
        self._number, self._taken, self._problem, self._forget = number, taken, problem, forget
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._peer_left = asyncio.Event()
        self._over = False
        self._requests: list[Request] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._http.receive_data(data)
        self._arrived.set()

    def eof_received(self) -> None:
        """The peer has closed; what is still to be sent has no reader."""
        self._peer_leaves()

    def pause_writing(self) -> None:
        """The peer reads slower than it is written to."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left of it."""
        self._peer_leaves()
        for request in self._requests:
            request.gone.set()
        self.ended.set()
        self._forget(self)

    def _peer_leaves(self) -> None:
        """Whoever ends it first: once `end` was called it is us."""
        if self._peer_left.is_set():
            return
        for request in self._requests:
            request.left = not self._over
        self._peer_left.set()
        self._http.receive_data(b"")
        self._arrived.set()
        self._writable.set()

    def end(self, *, reset: bool) -> None:
        """Ends the connection from this side."""
        self._over = True
        if reset:
            linger = struct.pack("ii", 1, 0)  # no time to linger: the kernel sends a reset
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        else:
            self._transport.close()

    async def serve(self) -> None:
        """Answers one request after the other until the connection ends."""
        try:
            while (request := await self._request()) is not None:
                await unless(self._peer_left, self._answer(request, self._taken(request)))
                if not request.answered or self._http.our_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            if not self._peer_left.is_set():  # who leaves in the middle of a request makes no mistake
                self._problem(f"no HTTP: {error}")
        except h11.LocalProtocolError as error:
            self._problem(f"a reply that is no HTTP: {error}")
        finally:
            self.end(reset=False)

    async def _request(self) -> Request | None:
        """The next request, whole; None when the peer leaves before one."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        if not isinstance(event, h11.EndOfMessage):
            return None
        headers = [(name.decode(), value.decode("latin-1")) for name, value in head.headers]
        request = Request(head.method.decode(), head.target.decode(), headers, bytes(body), 0, self._number)
        self._requests.append(request)
        return request

    async def _event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._write(h11.InformationalResponse(status_code=100, headers=[]))
            await self._arrived.wait()
            self._arrived.clear()
        return event

    async def _answer(self, request: Request, reply: Reply) -> None:
        try:
            for step in reply.before:
                await self._step(step)
            self._write(h11.Response(status_code=reply.status, headers=_headers(reply)))
            for step in reply.steps:
                await self._step(step)
            self._write(h11.EndOfMessage())
            await self._writable.wait()
            request.answered = True
        except _Ended:
            pass

    async def _step(self, step: Step) -> None:
        match step:
            case bytes():
                self._write(h11.Data(data=step))
                await self._writable.wait()
            case Wait(event=None):
                await asyncio.Event().wait()  # ends with the connection: see `serve`
            case Wait(event=asyncio.Event() as event):
                await event.wait()
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case Close(reset=reset):
                self.end(reset=reset)
                raise _Ended

    def _write(self, event: Any) -> None:
        if (data := self._http.send(event)) and not self._transport.is_closing():
            self._transport.write(data)


def _headers(reply: Reply) -> list[tuple[str, str]]:
    headers = [(name.lower(), value) for name, value in reply.headers.items()]
    framed = any(name in ("content-length", "transfer-encoding") for name, _ in headers)
    whole = all(isinstance(step, bytes) for step in reply.steps) and len(reply.steps) <= 1
    if whole and not framed and reply.status not in (204, 304):
        headers.append(("content-length", str(len(reply.body))))
    return headers
