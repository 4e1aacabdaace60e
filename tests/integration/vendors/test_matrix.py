"""Vendor × operation × (request, stream, error, cancel, timeout), as `matrix` explains."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest
import stamina
from mediaconduit.calls import Stream
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.events import OutputCompleted, PreviewDelta, ReasoningDelta, ToolCallDelta, TranscriptDelta
from mediaconduit.tasks import cancel_and_join, start
from mediaconduit_provider.testing import Served
from mediaconduit_vendors.testing import Answer, Reply, Request, Upstream, failure

from tests.integration.vendors.asking import asking, comparable, main_request, main_requests
from tests.integration.vendors.matrix import COLUMNS, KEY, ROWS, UNFINISHED, Case, all_cases, load, transform
from tests.support.vendors.descriptions import NotDescribedError, description, why_absent

PATIENCE = 20.0
"""Seconds after which a test that waits for something gives up."""
FIRST_OUTPUTS = (ReasoningDelta, ToolCallDelta, TranscriptDelta, PreviewDelta, OutputCompleted)
REFUSALS = (
    (401, Reason.CREDENTIALS_REJECTED),
    (429, Reason.RATE_LIMITED),
    (500, Reason.VENDOR_UNAVAILABLE),
    (529, Reason.VENDOR_UNAVAILABLE),
)


def cases(column: str) -> Iterable[object]:
    return [pytest.param(case, id=case.name) for case in all_cases() if column not in case.not_applicable]


@pytest.fixture(autouse=True)
def without_backoff() -> Iterator[None]:
    """Retries happen, but nobody waits for them."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.mark.parametrize("vendor", ROWS)
def test_every_cell_is_filled(vendor: str) -> None:
    gaps = load()[vendor].gaps()
    if vendor in UNFINISHED:
        assert gaps, f"{vendor} has no gaps any more: take it out of UNFINISHED"
    else:
        assert not gaps


@pytest.mark.parametrize("case", cases("request"))
async def test_requests_are_what_the_vendor_describes(case: Case) -> None:
    if not case.description:
        assert case.undescribed, "a case names a description, or says why there is none"
        pytest.skip(f"no description: {case.undescribed}")
    if why := why_absent(case.description):
        pytest.skip(why)
    described = description(case.description)
    checked: list[Request] = []

    def check(request: Request) -> None:
        try:
            problems = described.problems(request)
        except NotDescribedError as error:
            problems = [str(error)]
        checked.append(request)
        problems = [problem for problem in problems if not any(known in problem for known in case.beyond)]
        assert not problems, "\n".join(problems)

    async with asyncio.timeout(PATIENCE), asking(case, check=check) as (upstream, served):
        case.check(await case.act(served, case))
        assert main_requests(upstream, case)
    for request in checked:
        if request.body:
            assert described.refuses_mutations(request), f"{request.path}: any body would do"


@pytest.mark.parametrize("case", cases("stream"))
async def test_answers_are_the_same_however_they_are_cut(case: Case) -> None:
    size = 1 if len(case.reply.body) < 8192 else [1, 2, 3, 5, 7, 4093]
    results = []
    for answer in (case.reply, case.reply.split(size), case.reply.split([7, 1, 2, 5, 3, 6, 4, 997])):
        async with asyncio.timeout(PATIENCE), asking(case, answer) as (_, served):
            results.append(await case.act(served, case))
    case.check(results[0])
    assert comparable(results[1]) == comparable(results[0])
    assert comparable(results[2]) == comparable(results[0])


@pytest.mark.parametrize("case", [case for case in all_cases() if case.streams and case.act is transform], ids=str)
async def test_output_comes_while_the_vendor_still_sends(case: Case) -> None:
    gate = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asking(case, case.reply.stall(case.first, until=gate)) as (upstream, served):
        async with served.model(case.model).stream(case.content, gather=True, **case.keywords) as stream:
            await _first_output(stream)
            assert not (await main_request(upstream, case)).answered
            gate.set()
            async for _ in stream:
                pass
        case.check(stream.result)


@pytest.mark.parametrize("case", cases("error"))
async def test_a_refusal_has_its_reason_and_only_what_is_safe_is_tried_again(case: Case) -> None:
    assert case.errors is not None
    for status, reason in (*REFUSALS, (404, case.not_found)):
        refusal = failure(status, case.errors(status), {"retry-after": "0.01"} if status == 429 else None)
        error, asked = await _failed(case, refusal)
        assert (error.reason, status) == (reason, status), error
        assert asked == (1 if status < 429 else 3), f"{status}: {asked} requests"
        assert KEY not in f"{error} {error.metadata}"
    # More than a call may wait: told to whoever called.
    error, asked = await _failed(case, failure(429, case.errors(429), {"retry-after": "3600"}))
    assert (error.reason, asked) == (Reason.RATE_LIMITED, 1)
    assert error.retry_after is not None
    assert error.retry_after > 3000


@pytest.mark.parametrize("case", cases("error"))
async def test_what_was_refused_once_is_tried_again_and_answered(case: Case) -> None:
    assert case.errors is not None
    for status in (429, 500, 529):
        refusal = failure(status, case.errors(status), {"retry-after": "0.01"})
        async with asyncio.timeout(PATIENCE), asking(case, [refusal, case.reply]) as (upstream, served):
            case.check(await case.act(served, case))
            assert len(main_requests(upstream, case)) == 2


@pytest.mark.parametrize("case", cases("error"))
async def test_a_reply_that_breaks_is_no_success_and_is_not_asked_for_again(case: Case) -> None:
    whole = case.reply if case.streams else case.reply.split(max(1, len(case.reply.body) // 2))
    broken = [whole.truncate(case.first), whole.reset(case.first)]
    for answer in broken:
        error, asked = await _failed(case, answer)
        assert error.reason in (Reason.VENDOR_UNAVAILABLE, Reason.VENDOR_PROTOCOL), error
        assert asked == 1
    if case.stream_error:
        pieces = [*case.reply.pieces[: case.first], case.stream_error]
        error, asked = await _failed(case, Reply(case.reply.status, case.reply.headers, pieces))
        assert (error.reason, asked) == (case.stream_error_reason, 1), error


@pytest.mark.parametrize("case", cases("cancel"))
async def test_leaving_a_call_closes_the_connection_to_the_vendor(case: Case) -> None:
    stalled = case.reply.stall(case.first) if case.streams else case.reply.slow_headers()
    async with asyncio.timeout(PATIENCE), asking(case, stalled) as (upstream, served):
        if case.streams and case.act is transform:
            async with served.model(case.model).stream(case.content, **case.keywords) as stream:
                await _first_output(stream)
        else:
            acting = start(_acted(served, case), name="a call that is left")
            await main_request(upstream, case)
            await cancel_and_join(acting)
        request = await main_request(upstream, case)
        await upstream.closed(request)
        assert (request.left, request.answered) == (True, False)
        assert len(main_requests(upstream, case)) == 1


@pytest.mark.parametrize("case", cases("timeout"))
async def test_a_vendor_that_says_nothing_ends_the_call(case: Case) -> None:
    whole = case.reply if case.streams else case.reply.split(max(1, len(case.reply.body) // 2))
    silent = [case.reply.slow_headers(), whole.stall(after=0), whole.stall(case.first)]
    for error, asked in await asyncio.gather(*(_failed(case, answer, quick=True) for answer in silent)):
        assert error.reason is Reason.VENDOR_TIMEOUT, error
        assert asked == 1


def test_the_columns_are_those_tested_here() -> None:
    assert COLUMNS == ("request", "stream", "error", "cancel", "timeout")


async def _acted(served: Served, case: Case) -> object:
    return await case.act(served, case)


async def _failed(case: Case, answer: Answer, *, quick: bool = False) -> tuple[MediaConduitError, int]:
    """The error of a call that must fail, and how often the vendor was asked."""
    async with asyncio.timeout(PATIENCE), asking(case, answer, quick=quick) as (upstream, served):
        with pytest.raises(MediaConduitError) as raised:
            await case.act(served, case)
        return raised.value, _asked(upstream, case)


def _asked(upstream: Upstream, case: Case) -> int:
    return len(main_requests(upstream, case))


async def _first_output(stream: Stream) -> None:
    """Returns when some of an output has come."""
    async for event in stream:
        if event.text or event.data or isinstance(event, FIRST_OUTPUTS):
            return
    raise AssertionError("the call ended without output")
