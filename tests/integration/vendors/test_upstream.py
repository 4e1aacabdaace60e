"""The made-up vendor against a real HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_vendors.testing import Reply, Request, Upstream, binary, failure, json_reply, sse


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        yield client


async def pieces_of(client: httpx.AsyncClient, url: str) -> list[bytes]:
    async with client.stream("GET", url) as response:
        return [piece async for piece in response.aiter_raw()]


async def test_a_request_is_recorded_whole_and_answered(http: httpx.AsyncClient) -> None:
    async with Upstream({"POST /v1/chat": json_reply({"ok": True})}) as upstream:
        answer = await http.post(f"{upstream.url}/v1/chat?a=1", json={"stream": True}, headers={"x-key": "k"})
        request = await upstream.request()
        assert answer.json() == {"ok": True}
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert (request.method, request.path, request.query) == ("POST", "/v1/chat", [("a", "1")])
        assert (request.json, request.header("x-key"), request.answered) == ({"stream": True}, "k", True)


async def test_a_multipart_form_is_read_as_the_client_wrote_it(http: httpx.AsyncClient) -> None:
    data = bytes(range(256)) * 5000
    async with Upstream({"POST /f": json_reply({})}) as upstream:
        await http.post(f"{upstream.url}/f", data={"model": "m"}, files={"file": ("ü.wav", data, "audio/wav")})
        found = (await upstream.request()).field("file")
        assert (found.data, found.filename, found.media_type) == (data, "ü.wav", "audio/wav")


async def test_connections_are_kept_and_reused(http: httpx.AsyncClient) -> None:
    async with Upstream({"GET /a": sse({}, "[DONE]"), "POST /b/{id}/c/{rest*}": json_reply({})}) as upstream:
        await http.get(f"{upstream.url}/a")
        await http.post(f"{upstream.url}/b/x/c/d/e", content=b"x")
        assert (upstream.connections, [request.path for request in upstream.requests]) == (1, ["/a", "/b/x/c/d/e"])


async def test_the_client_sees_the_pieces_as_they_were_cut(http: httpx.AsyncClient) -> None:
    reply = sse({"a": "ü"}, "[DONE]")
    async with Upstream({"GET /whole": reply, "GET /cut": reply.split(1), "GET /odd": reply.split([3, 7])}) as upstream:
        assert await pieces_of(http, f"{upstream.url}/whole") == reply.pieces
        assert await pieces_of(http, f"{upstream.url}/cut") == [bytes([byte]) for byte in reply.body]
        assert await pieces_of(http, f"{upstream.url}/odd") == reply.split([3, 7]).pieces


async def test_a_route_answers_one_reply_after_the_other_and_then_the_last(http: httpx.AsyncClient) -> None:
    busy = failure(429, {"error": "slow down"}, {"retry-after": "0"})
    async with Upstream({"GET /a": [busy, json_reply({})]}) as upstream:
        assert [(await http.get(f"{upstream.url}/a")).status_code for _ in range(3)] == [429, 200, 200]


async def test_a_function_answers_by_the_request(http: httpx.AsyncClient) -> None:
    async with Upstream({"POST /a": lambda request: json_reply(request.json)}) as upstream:
        assert (await http.post(f"{upstream.url}/a", json=[1])).json() == [1]
        upstream.route("POST /a", failure(500))
        assert (await http.post(f"{upstream.url}/a", json=[1])).status_code == 500


async def test_pieces_wait_for_their_events(http: httpx.AsyncClient) -> None:
    gate = asyncio.Event()
    async with (
        Upstream({"GET /a": sse("1", "2").gated(gate)}) as upstream,
        http.stream("GET", f"{upstream.url}/a") as response,
    ):
        stream = response.aiter_raw()
        assert await anext(stream) == b"data: 1\n\n"
        assert not upstream.requests[0].answered
        gate.set()
        assert await anext(stream) == b"data: 2\n\n"


async def test_who_leaves_a_stalled_reply_is_seen_leaving(http: httpx.AsyncClient) -> None:
    async with Upstream({"GET /a": sse("1", "2").stall(after=1)}) as upstream:
        async with http.stream("GET", f"{upstream.url}/a") as response:
            assert await anext(response.aiter_raw()) == b"data: 1\n\n"
            request = await upstream.request()
            assert not request.gone.is_set()
        await upstream.closed(request)
        assert (request.left, request.answered) == (True, False)


async def test_who_leaves_before_the_headers_is_seen_leaving(http: httpx.AsyncClient) -> None:
    async with Upstream({"GET /a": json_reply({}).slow_headers()}) as upstream:
        asking = start(http.get(f"{upstream.url}/a"), name="a client that is cancelled")
        request = await upstream.request()
        await cancel_and_join(asking)
        await upstream.closed(request)
        assert (request.left, request.answered) == (True, False)


async def test_slow_headers_come_when_they_are_let(http: httpx.AsyncClient) -> None:
    gate = asyncio.Event()
    async with Upstream({"GET /a": json_reply({}).slow_headers(gate)}) as upstream:
        asking = start(http.get(f"{upstream.url}/a"), name="a client that waits")
        await upstream.request()
        gate.set()
        assert (await asking).status_code == 200


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (sse("1", "2").truncate(after=1), httpx.RemoteProtocolError),
        (Reply(headers={"content-length": "9"}, steps=[b"12"]).truncate(), httpx.RemoteProtocolError),
        (sse("1", "2").hang_up(), httpx.RemoteProtocolError),
        (sse("1", "2").hang_up(reset=True), httpx.ReadError),
        (sse("1", "2").reset(after=0), httpx.ReadError),
    ],
)
async def test_a_broken_reply_breaks_at_the_client(
    http: httpx.AsyncClient, reply: Reply, error: type[Exception]
) -> None:
    async with Upstream({"GET /a": reply}) as upstream:
        with pytest.raises(error):
            await http.get(f"{upstream.url}/a")
        request = await upstream.request()
        await upstream.closed(request)
        assert (request.left, request.answered) == (False, False)


async def test_a_reset_comes_after_what_was_read(http: httpx.AsyncClient) -> None:
    gate = asyncio.Event()
    reply = sse("1", "2").stall(after=1, until=gate).reset(after=1)
    async with Upstream({"GET /a": reply}) as upstream, http.stream("GET", f"{upstream.url}/a") as response:
        stream = response.aiter_raw()
        assert await anext(stream) == b"data: 1\n\n"
        gate.set()
        with pytest.raises(httpx.ReadError):
            await anext(stream)


async def test_a_large_reply_waits_for_its_reader(http: httpx.AsyncClient) -> None:
    data = b"x" * 20_000_000
    reply = binary(data, "video/mp4", piece=1 << 20)
    async with Upstream({"GET /a": reply}) as upstream, http.stream("GET", f"{upstream.url}/a") as response:
        stream = response.aiter_raw()
        first = await anext(stream)
        assert not upstream.requests[0].answered
        assert len(first) + sum([len(piece) async for piece in stream]) == len(data)


async def test_what_no_route_takes_is_a_problem_that_fails_the_block(http: httpx.AsyncClient) -> None:
    with pytest.raises(AssertionError, match="GET /other: no route"):
        async with Upstream({"GET /a": json_reply({})}) as upstream:
            assert (await http.get(f"{upstream.url}/other")).status_code == 404


async def test_what_the_check_refuses_is_a_problem_and_answered_all_the_same(http: httpx.AsyncClient) -> None:
    def check(request: Request) -> None:
        raise ValueError("no model")

    with pytest.raises(AssertionError, match="POST /a: no model"):
        async with Upstream({"POST /a": json_reply({})}, check=check) as upstream:
            assert (await http.post(f"{upstream.url}/a")).status_code == 200


async def test_what_is_no_http_is_a_problem() -> None:
    async with Upstream() as upstream:
        host, _, port = upstream.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"what?\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert "no HTTP" in upstream.problems.pop()


async def _fails_by_itself(http: httpx.AsyncClient) -> None:
    async with Upstream() as upstream:
        await http.get(f"{upstream.url}/other")
        raise KeyError


async def test_a_block_that_fails_by_itself_keeps_its_error(http: httpx.AsyncClient) -> None:
    with pytest.raises(KeyError):
        await _fails_by_itself(http)


def test_a_route_that_reads_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="METHOD /path"):
        Upstream({"/a": json_reply({})})
    with pytest.raises(ValueError, match="no reply"):
        Upstream({"GET /a": []})
