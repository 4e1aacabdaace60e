"""Why nothing that may be cancelled goes over HTTP/2; see docs/decisions/0012."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import h2.config
import h2.connection
import h2.events
import httpx2
import pytest


class Peer(asyncio.Protocol):
    """Answers every request with headers and one piece, and never ends; says what the client sent after that."""

    def __init__(self, seen: asyncio.Queue[str]) -> None:
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            match event:
                case h2.events.RequestReceived(stream_id=stream):
                    assert stream is not None
                    self._h2.send_headers(stream, [(":status", "200")])
                    self._h2.send_data(stream, b"first")
                case h2.events.StreamReset():
                    self._seen.put_nowait("reset")
                case h2.events.PingReceived():
                    self._seen.put_nowait("ping")
        self._flush()

    def _flush(self) -> None:
        self._transport.write(self._h2.data_to_send())


@pytest.fixture
async def seen() -> asyncio.Queue[str]:
    return asyncio.Queue()


@pytest.fixture
async def url(seen: asyncio.Queue[str]) -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(lambda: Peer(seen), "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"


async def test_the_library_does_not_reset_a_stream_that_is_left(url: str, seen: asyncio.Queue[str]) -> None:
    # When this fails the library has learned it, and everything may share connections.
    async with httpx2.AsyncClient(http1=False, http2=True, timeout=10, trust_env=False) as client:
        async with client.stream("GET", url) as response:
            assert await anext(response.aiter_raw()) == b"first"
        # Another exchange on the same connection: whatever the client sent for the first one has arrived by then.
        async with client.stream("GET", url) as response:
            assert await anext(response.aiter_raw()) == b"first"
        assert seen.empty()
