"""Requests to a vendor that refuses, breaks, stalls and slows down."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mediaconduit.errors import CallTimeoutError, ExhaustedError, MediaConduitError, Reason, UnavailableError
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.testing import Reply, Upstream, binary, failure, json_reply, ndjson, sse
from mediaconduit_vendors.vendor import Timeouts, Vendor

VENDOR = Vendor("acme", "Acme", "https://acme.example", key="ACME_KEY")
QUICK = Timeouts(connect=5, headers=0.3, first_byte=0.3, idle=0.3)
ASK = Request("POST", "/ask", json={})


@asynccontextmanager
async def api_of(upstream: Upstream, timeouts: Timeouts = QUICK) -> AsyncIterator[Api]:
    api = Api(VENDOR, key=lambda: "k-1", base_url=upstream.url, timeouts=timeouts)
    try:
        yield api
    finally:
        await api.aclose()


async def events_of(api: Api, request: Request = ASK) -> list[Any]:
    async with api.open(request) as reply:
        return [value async for _, value in reply.events()]


def refused(status: int, **headers: str) -> Reply:
    return failure(status, {"error": {"message": "no", "code": None}}, headers)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_what_is_safe_is_tried_again(status: int) -> None:
    replies = [failure(status, {}, {"retry-after": "0"}), json_reply({"ok": 1})]
    async with Upstream({"POST /ask": replies}) as upstream, api_of(upstream) as api:
        assert (await api.json(ASK))[0] == {"ok": 1}
        assert len(upstream.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_what_will_not_get_better_is_not_tried_again(status: int) -> None:
    async with Upstream({"POST /ask": refused(status)}) as upstream, api_of(upstream) as api:
        with pytest.raises(MediaConduitError):
            await api.json(ASK)
        assert len(upstream.requests) == 1


async def test_a_whole_address_of_the_vendor_gets_the_key() -> None:
    async with Upstream({"GET /file": json_reply({})}) as upstream, api_of(upstream) as api:
        await api.json(Request("GET", f"{upstream.url}/file"))
        assert (await upstream.request()).header("authorization") == "Bearer k-1"


async def test_an_address_that_only_begins_like_the_vendors_does_not() -> None:
    async with Upstream({"GET /file": json_reply({})}) as other, api_of(other) as api:
        api.base_url = other.url[:-1]
        await api.json(Request("GET", f"{other.url}/file"))
        assert (await other.request()).header("authorization") == ""


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    async with Upstream({"POST /ask": sse({"a": 1}, {"a": 2}).reset(after=1)}) as upstream, api_of(upstream) as api:
        with pytest.raises(UnavailableError) as failed:
            await events_of(api)
        assert failed.value.reason is Reason.VENDOR_UNAVAILABLE
        assert len(upstream.requests) == 1


async def test_a_vendor_that_wants_a_long_pause_is_not_waited_for() -> None:
    replies = refused(429, **{"retry-after": "3600"})
    async with Upstream({"POST /ask": replies}) as upstream, api_of(upstream) as api:
        for _ in range(2):
            with pytest.raises(ExhaustedError) as failed:
                await api.json(ASK)
            assert failed.value.reason is Reason.RATE_LIMITED
            assert failed.value.metadata["whose"] == "vendor"
            assert failed.value.retry_after == pytest.approx(3600, abs=60)
        # The second one was not even sent: all calls share what the vendor said.
        assert len(upstream.requests) == 1


async def test_retries_end_with_the_budget() -> None:
    async with Upstream({"POST /ask": failure(500, {}, {"retry-after": "0"})}) as upstream, api_of(upstream) as api:
        for _ in range(20):
            with pytest.raises(UnavailableError):
                await api.json(ASK)
        # 10 that are there from the start, and those that 20 requests earn: a tenth each.
        assert 20 + 10 <= len(upstream.requests) <= 20 + 12


async def test_a_quota_that_is_used_up_is_no_reason_to_try_again() -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    async with Upstream({"POST /ask": failure(429, body)}) as upstream, api_of(upstream) as api:
        with pytest.raises(ExhaustedError) as failed:
            await api.json(ASK)
        assert failed.value.reason is Reason.QUOTA_EXCEEDED
        assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [sse({"a": 1}, {"a": 2}).slow_headers(), sse({"a": 1}).stall(after=0), sse({"a": 1}, {"a": 2}).stall(after=1)],
    ids=["headers", "first byte", "idle"],
)
async def test_silence_ends_the_request_and_the_connection(reply: Reply) -> None:
    async with Upstream({"POST /ask": reply}) as upstream, api_of(upstream) as api:
        with pytest.raises(CallTimeoutError) as failed:
            await events_of(api)
        assert failed.value.reason is Reason.VENDOR_TIMEOUT
        await upstream.closed(await upstream.request())
        assert len(upstream.requests) == 1


async def test_the_waits_are_separate() -> None:
    # The body may be silent for longer than the headers may: the first must not count for the second.
    gate = asyncio.Event()
    timeouts = Timeouts(connect=5, headers=0.2, first_byte=60, idle=60)
    async with (
        Upstream({"POST /ask": sse({"a": 1}, {"a": 2}).gated(gate)}) as upstream,
        api_of(upstream, timeouts) as api,
        api.open(ASK) as reply,
    ):
        events = reply.events()
        assert await anext(events) == ("message", {"a": 1})
        asyncio.get_running_loop().call_later(0.5, gate.set)
        assert await anext(events) == ("message", {"a": 2})
        await events.aclose()


async def test_leaving_an_answer_closes_the_vendors_connection() -> None:
    async with Upstream({"POST /ask": sse({"a": 1}).stall(after=1)}) as upstream, api_of(upstream, Timeouts()) as api:
        reader = start(events_of(api), name="reader")
        request = await upstream.request()
        await cancel_and_join(reader)
        await upstream.closed(request)


async def test_an_api_that_is_retired_serves_what_is_under_way_to_its_end() -> None:
    gate = asyncio.Event()
    async with Upstream({"POST /ask": sse({"a": 1}, {"a": 2}).gated(gate)}) as upstream:
        api = Api(VENDOR, key=lambda: "k-1", base_url=upstream.url)
        async with api.open(ASK) as reply:
            events = reply.events()
            await anext(events)
            await api.retire()
            gate.set()
            assert [value async for _, value in events] == [{"a": 2}]
        await upstream.closed(await upstream.request())


async def test_a_key_goes_to_the_vendor_alone() -> None:
    async with Upstream({"GET /file": binary(b"x", "image/png")}) as elsewhere, Upstream({}) as upstream:
        async with api_of(upstream) as api, api.open(Request("GET", f"{elsewhere.url}/file")) as reply:
            assert await reply.read() == b"x"
        assert elsewhere.requests[0].header("authorization") == ""


async def test_lines_come_as_values_however_they_are_cut() -> None:
    reply = ndjson({"a": "ü"}, {"a": 2})
    for size in (1, 2, 3, 1000):
        async with (
            Upstream({"POST /ask": reply.split(size)}) as upstream,
            api_of(upstream) as api,
            api.open(ASK) as answer,
        ):
            assert [value async for value in answer.lines()] == [{"a": "ü"}, {"a": 2}]


@pytest.mark.parametrize(("newline", "size"), [*itertools.product(["\n", "\r\n", "\r"], [1, 2, 5, 1000])])
async def test_events_come_whole_however_they_are_cut(newline: str, size: int) -> None:
    comment = f": keep-alive{newline}{newline}".encode()
    reply = sse({"a": "ü😀"}, comment, {"b": None}, "[DONE]", newline=newline).split(size)
    async with Upstream({"POST /ask": reply}) as upstream, api_of(upstream) as api:
        assert await events_of(api) == [{"a": "ü😀"}, {"b": None}]


@pytest.mark.parametrize("reply", [binary(b"<html>", "text/html"), binary(b'{"a": 1', "application/json")])
async def test_an_answer_that_is_no_json_is_the_vendors_fault(reply: Reply) -> None:
    async with Upstream({"POST /ask": reply}) as upstream, api_of(upstream) as api:
        with pytest.raises(MediaConduitError) as failed:
            await api.json(ASK)
        assert failed.value.reason is Reason.VENDOR_PROTOCOL
        assert "html" not in str(failed.value)


async def test_nobody_there_is_tried_again_and_then_said() -> None:
    async with Upstream({}) as upstream:
        url = upstream.url
    api = Api(VENDOR, key=lambda: "k-1", base_url=url, attempts=2)
    try:
        with pytest.raises(UnavailableError) as failed:
            await api.json(ASK)
    finally:
        await api.aclose()
    assert failed.value.reason is Reason.VENDOR_UNAVAILABLE
    assert failed.value.retryable
