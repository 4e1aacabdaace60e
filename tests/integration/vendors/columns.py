"""What is tried in each column of the matrix; every function takes a case and raises AssertionError."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
from mediaconduit.calls import Stream
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.events import OutputCompleted, PreviewDelta, ReasoningDelta, ToolCallDelta, TranscriptDelta
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import Answer, Reply, Request, failure

from tests.integration.vendors.asking import asking, comparable, main_request, main_requests
from tests.integration.vendors.matrix import KEY, Case, transform
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

    async with asyncio.timeout(PATIENCE), asking(case, check=check) as (upstream, served):
        case.check(await case.act(served, case))
        main = await main_request(upstream, case)
    if main.body and not any("the description has no" in known for known in case.beyond):
        assert described.refuses_mutations(main), f"{main.path}: the description would take any body"


async def stream(case: Case) -> None:
    """The result is right and the same however the answer is cut; what streams comes while it is still sent."""
    small = len(case.reply.body) < 8192
    cuts = (case.reply, case.reply.split(1 if small else [1, 2, 3, 5, 7, 4093]), case.reply.split([7, 1, 2, 6, 997]))
    results = []
    for answer in cuts:
        async with asyncio.timeout(PATIENCE), asking(case, answer) as (_, served):
            results.append(await case.act(served, case))
    case.check(results[0])
    for result in results[1:]:
        assert comparable(result) == comparable(results[0])
    if case.streams and case.act is transform:
        await _comes_early(case)


async def _comes_early(case: Case) -> None:
    """Output is there while the rest of the reply is still to be sent."""
    gate = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asking(case, case.reply.stall(case.first, until=gate)) as (upstream, served):
        async with served.model(case.model).stream(case.content, gather=True, **case.keywords) as events:
            await _first_output(events)
            assert not (await main_request(upstream, case)).answered
            gate.set()
            async for _ in events:
                pass
        case.check(events.result)


async def error(case: Case) -> None:
    """Refusals have their reason; what is safe is tried again; what breaks in the middle is no success."""
    assert case.errors is not None, "a case has the vendor's format of errors"
    for status, reason in (*REFUSALS, (404, case.not_found)):
        refusal = failure(status, case.errors(status), {"retry-after": "0.01"} if status == 429 else None)
        found, asked = await _failed(case, refusal)
        assert (status, found.reason) == (status, reason), found
        assert (status, asked) == (status, 1 if status < 429 else 3), "requests"
        assert KEY not in f"{found} {found.metadata}"
    await _waits_no_longer_than_it_may(case, case.errors(429))
    for status in (429, 500, 529):
        refusal = failure(status, case.errors(status), {"retry-after": "0.01"})
        async with asyncio.timeout(PATIENCE), asking(case, [refusal, case.reply]) as (upstream, served):
            case.check(await case.act(served, case))
            assert len(main_requests(upstream, case)) == 2
    await _breaks(case)


async def _waits_no_longer_than_it_may(case: Case, body: object) -> None:
    found, asked = await _failed(case, failure(429, body, {"retry-after": "3600"}))
    assert (found.reason, asked) == (Reason.RATE_LIMITED, 1)
    assert found.retry_after is not None
    assert found.retry_after > 3000


async def _breaks(case: Case) -> None:
    whole = _in_pieces(case)
    for answer in (whole.truncate(case.first), whole.reset(case.first)):
        found, asked = await _failed(case, answer)
        assert found.reason in (Reason.VENDOR_UNAVAILABLE, Reason.VENDOR_PROTOCOL), found
        assert asked == 1
    if case.stream_error:
        pieces = [*case.reply.pieces[: case.first], case.stream_error]
        found, asked = await _failed(case, Reply(case.reply.status, case.reply.headers, pieces))
        assert (found.reason, asked) == (case.stream_error_reason, 1), found


async def cancel(case: Case) -> None:
    """Leaving the call closes the connection to the vendor."""
    stalled = case.reply.stall(case.first) if case.streams else case.reply.slow_headers()
    async with asyncio.timeout(PATIENCE), asking(case, stalled) as (upstream, served):
        if case.streams and case.act is transform:
            async with served.model(case.model).stream(case.content, **case.keywords) as events:
                await _first_output(events)
        else:
            acting = start(_acted(served, case), name="a call that is left")
            await main_request(upstream, case)
            await cancel_and_join(acting)
        asked = await main_request(upstream, case)
        await upstream.closed(asked)
        assert (asked.left, asked.answered) == (True, False)
        assert len(main_requests(upstream, case)) == 1


async def timeout(case: Case) -> None:
    """A vendor that says nothing ends the call, and is not asked again: it may be at work."""
    silent = (case.reply.slow_headers(), _in_pieces(case).stall(after=0), _in_pieces(case).stall(case.first))
    for answer in silent:
        found, asked = await _failed(case, answer, quick=True)
        assert found.reason is Reason.VENDOR_TIMEOUT, found
        assert asked == 1


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


async def _acted(served: Served, case: Case) -> object:
    return await case.act(served, case)


async def _failed(case: Case, answer: Answer, *, quick: bool = False) -> tuple[MediaConduitError, int]:
    """The error of a call that must fail, and how often the vendor was asked."""
    async with asyncio.timeout(PATIENCE), asking(case, answer, quick=quick) as (upstream, served):
        with pytest.raises(MediaConduitError) as raised:
            await case.act(served, case)
        return raised.value, len(main_requests(upstream, case))


async def _first_output(events: Stream) -> None:
    """Returns when some of an output has come; the call goes on."""
    while (event := await anext(events, None)) is not None:
        if event.text or event.data or isinstance(event, FIRST_OUTPUTS):
            return
    raise AssertionError("the call ended without output")
