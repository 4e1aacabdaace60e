"""What is tried in each column of the matrix; every function takes a case and raises AssertionError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

import pytest
from google.rpc import code_pb2
from mediaconduit import Result
from mediaconduit.calls import Stream
from mediaconduit.errors import Reason
from mediaconduit.events import OutputCompleted, PreviewDelta, ReasoningDelta, ToolCallDelta, TranscriptDelta
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import Reply, Request, failure, json_reply

from tests.integration.vendors.asking import REQUEST_ID, Asking, asking, comparable
from tests.integration.vendors.matrix import KEY, Case, transform
from tests.integration.vendors.variants import with_news
from tests.support.vendors.descriptions import NotDescribedError, description, why_absent

PATIENCE = 20.0
"""Seconds after which whatever waits gives up."""
FIRST_OUTPUTS = (ReasoningDelta, ToolCallDelta, TranscriptDelta, PreviewDelta, OutputCompleted)
REFUSALS = (
    (401, Reason.CREDENTIALS_REJECTED),
    (429, Reason.RATE_LIMITED),
    (500, Reason.VENDOR_UNAVAILABLE),
    (529, Reason.VENDOR_UNAVAILABLE),
)


@asynccontextmanager
async def within(failure: str, share: float = 1.0) -> AsyncIterator[None]:
    """The block ends in time (a share of all `PATIENCE`), or the test says what did not happen."""
    limit = asyncio.timeout(PATIENCE * share)
    try:
        async with limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise AssertionError(failure) from None
        raise


async def request(case: Case) -> None:
    """What is sent is what the vendor describes, and the description would refuse something else."""
    if not case.description:
        assert case.undescribed, "a case names a description, or says why there is none"
        pytest.skip(f"no description: {case.undescribed}")
    if why := why_absent(case.description):
        pytest.skip(why)
    described = description(case.description)

    def check(request: Request) -> None:
        try:
            problems = described.problems(request)
        except NotDescribedError as error:
            problems = [str(error)]
        problems = [problem for problem in problems if not any(known in problem for known in case.beyond)]
        assert not problems, "; ".join(problems)

    async with within("the answer did not come"), asking(case, check=check) as asked:
        case.check(await asked.act())
        main = await asked.request()
    _carries_the_key_safely(asked.served, main)
    if main.body and not any("the description has no" in known for known in case.beyond):
        assert described.refuses_mutations(main), f"{main.path}: the description would take any body"


def _carries_the_key_safely(served: Served, main: Request) -> None:
    """In a header: addresses end up in logs."""
    assert KEY not in main.target
    assert KEY.encode() not in main.body
    if served.host.provider.vendor.key:  # type: ignore[attr-defined]
        assert any(KEY in value for _, value in main.headers), "the key was not sent"


async def stream(case: Case) -> None:
    """The result is right, and the same however the answer is cut or added to; what streams comes while it is sent."""
    small = len(case.reply.body) < 8192
    async with within("the answer did not come"), asking(case) as asked:
        whole = await asked.act()
        case.check(whole)
        if isinstance(whole, Result) and asked.request_id_header:
            assert whole.provenance.vendor_request_id == REQUEST_ID
        cuts = [case.reply.split(size) for size in (1 if small else [1, 2, 3, 5, 7, 4093], [7, 1, 2, 6, 997])]
        for answer in (*cuts, with_news(case.reply)):
            asked.answer(answer)
            assert comparable(await asked.act()) == comparable(whole)
        if case.streams and case.act is transform:
            await _comes_early(case, asked)


async def _comes_early(case: Case, asked: Asking) -> None:
    """Output is there while the rest of the reply is still to be sent."""
    gate = asyncio.Event()
    asked.answer(case.reply.stall(case.first, until=gate))
    async with asked.served.model(case.model).stream(case.content, gather=True, **case.keywords) as events:
        async with within("nothing came while the vendor was still sending", 0.5):
            await _first_output(events)
        assert not asked.requests[-1].answered
        gate.set()
        async for _ in events:
            pass
        case.check(events.result)


async def error(case: Case) -> None:
    """Refusals have their reason; what is safe is tried again; what breaks in the middle is no success."""
    assert case.errors is not None, "a case has the vendor's format of errors"
    async with within("the answer did not come"), asking(case) as asked:
        for status, reason in (*REFUSALS, (404, case.not_found)):
            found, tries = await asked.failure(_refusal(case, status))
            assert (status, found.reason) == (status, reason), found
            assert (status, tries) == (status, 1 if status < 429 else 3), "requests"
            assert KEY not in f"{found} {found.metadata}"
            if asked.request_id_header:
                assert found.metadata.get("vendor_request_id"), "the vendor's id of the request is lost"
        for refusal in case.refusals:
            found, tries = await asked.failure(failure(refusal.status, refusal.body))
            assert found.reason is refusal.reason, found
            assert not refusal.field or refusal.field in [violation.field for violation in found.fields]
            assert tries == 1
    # Each with a provider of its own, whose retries are not spent yet.
    async with within("the answer did not come"), asking(case) as asked:
        await _is_sent_again_only_where_that_is_safe(asked)
    async with within("the answer did not come"), asking(case) as asked:
        for status in (429, 500, 529):
            before = len(asked.requests)
            asked.answer([_refusal(case, status), case.reply])
            case.check(await asked.act())
            assert len(asked.requests) == before + 2
        await _breaks(case, asked)
        await _waits_no_longer_than_it_may(case, asked)


async def _is_sent_again_only_where_that_is_safe(asked: Asking) -> None:
    """By the status alone; a vendor that hangs up without a word may be at work."""
    conflicts = 3 if asked.served.host.provider.vendor.retries_conflicts else 1  # type: ignore[attr-defined]
    for answer, reason, expected in (
        (failure(408), Reason.VENDOR_TIMEOUT, 3),
        (failure(409), Reason.VENDOR_UNAVAILABLE, conflicts),
        (json_reply({}).hang_up(), Reason.VENDOR_UNAVAILABLE, 1),
    ):
        found, tries = await asked.failure(answer)
        assert (answer.status, found.reason, tries) == (answer.status, reason, expected), found


def _refusal(case: Case, status: int) -> Reply:
    assert case.errors is not None
    return failure(status, case.errors(status), {"retry-after": "0.01"} if status == 429 else None)


async def _breaks(case: Case, asked: Asking) -> None:
    """An answer that ends too early, or tells of an error in its middle."""
    for answer in (_in_pieces(case).truncate(case.first), _in_pieces(case).reset(case.first)):
        found, tries = await asked.failure(answer)
        assert found.reason in (Reason.VENDOR_UNAVAILABLE, Reason.VENDOR_PROTOCOL), found
        assert tries == 1
    if case.stream_error:
        pieces = [*case.reply.pieces[: case.first], case.stream_error]
        found, tries = await asked.failure(Reply(case.reply.status, case.reply.headers, pieces))
        assert (found.reason, tries) == (case.stream_error_reason, 1), found


async def _waits_no_longer_than_it_may(case: Case, asked: Asking) -> None:
    """More than a call may wait is told to whoever called."""
    found, tries = await asked.failure(_refusal(case, 429).with_headers(retry_after="3600"))
    assert (found.reason, tries) == (Reason.RATE_LIMITED, 1)
    assert found.retry_after is not None
    assert found.retry_after > 3000


async def cancel(case: Case) -> None:
    """Leaving the call closes the connection to the vendor."""
    stalled = case.reply.stall(case.first) if case.streams else case.reply.slow_headers()
    async with within("the answer did not come"), asking(case, stalled) as asked:
        if case.streams and case.act is transform:
            async with asked.served.model(case.model).stream(case.content, **case.keywords) as events:
                await _first_output(events)
        else:
            acting = start(asked.act(), name="a call that is left")
            await asked.request()
            await cancel_and_join(acting)
        main = await asked.request()
        async with within("the connection was not closed", 0.5):
            await asked.upstream.closed(main)
        assert (main.left, main.answered) == (True, False)
        assert len(asked.requests) == 1
        if case.streams and case.metered and case.act is transform:
            await _is_accounted_for(asked)


async def _is_accounted_for(asked: Asking) -> None:
    """The record of a call that was left says what it took."""
    async with aclosing(asked.served.host.generations.watch("")) as batches:
        record = (await anext(batches))[0]
    assert record.error.code == code_pb2.CANCELLED
    assert record.usage.units, "nobody counted what the call took until it was left"


async def timeout(case: Case) -> None:
    """A vendor that says nothing ends the call, and is not asked again: it may be at work."""
    silent = (case.reply.slow_headers(), _in_pieces(case).stall(after=0), _in_pieces(case).stall(case.first))
    await asyncio.gather(*(_times_out(case, answer) for answer in silent))


async def _times_out(case: Case, answer: Reply) -> None:
    async with within("the call still waits for a silent vendor"), asking(case, quick=True) as asked:
        found, tries = await asked.failure(answer)
        assert found.reason is Reason.VENDOR_TIMEOUT, found
        assert tries == 1


TRIED: Mapping[str, Callable[[Case], Awaitable[None]]] = {
    "request": request,
    "stream": stream,
    "error": error,
    "cancel": cancel,
    "timeout": timeout,
}
"""By column."""


def _in_pieces(case: Case) -> Reply:
    """The reply, in two pieces where it is whole: so that it can break between them."""
    return case.reply if len(case.reply.pieces) > 1 else case.reply.split(max(1, (len(case.reply.body) + 1) // 2))


async def _first_output(events: Stream) -> None:
    """Returns when some of an output has come; the call goes on."""
    while (event := await anext(events, None)) is not None:
        if event.text or event.data or isinstance(event, FIRST_OUTPUTS):
            return
    raise AssertionError("the call ended without output")
