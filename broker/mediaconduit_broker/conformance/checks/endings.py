"""Calls that end before their work does, and calls that find no place."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc

from mediaconduit_broker.conformance import calls
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.calls import Held
from mediaconduit_broker.conformance.check import CheckFailedError, NotApplicableError, check, require
from mediaconduit_broker.conformance.running import FREE_SECONDS, Running
from mediaconduit_broker.conformance.statuses import Failure

_DEADLINE: Final = 0.4
_MOST_HELD: Final = 256


@check(
    "cancel",
    demand="Cancelling a call, after its first event or while its input is still to come, frees its place within 2 s.",
    advice="Pass the cancellation on: to the vendor's connection, to the child process, to the generator. Code that "
    "blocks belongs into a thread or a process that can be told to stop.",
)
async def cancel(bench: Bench) -> str:
    """A caller that leaves costs nothing from then on."""
    running = await bench.sidecar()
    working = await bench.working()
    for capability, model in working:
        await _cancel_after_first_event(running, bench.request(capability, model, short=False))
        await _require_free(running, f"a call of {capability} that was cancelled after its first event")
        held = await Held.open(running.stub, bench.request(capability, model))
        held.cancel()
        await _require_free(running, f"a call of {capability} that was cancelled while its input was to come")
    return f"{2 * len(working)} calls"


@check(
    "deadline",
    demand="A call whose deadline passes ends with DEADLINE_EXCEEDED and frees its place within 2 s.",
    advice="Take the deadline from the call (grpc-timeout) and end the work when it passes, as when it is cancelled.",
)
async def deadline(bench: Bench) -> str:
    """Nobody waits for work that comes too late."""
    running = await bench.sidecar()
    held = await Held.open(running.stub, await bench.main(), deadline=_DEADLINE)
    try:
        async with asyncio.timeout(_DEADLINE + FREE_SECONDS):
            recorded = await held.rest()
    except TimeoutError:
        raise CheckFailedError(
            f"a call with a deadline of {_DEADLINE:g} s still ran {FREE_SECONDS:g} s later"
        ) from None
    finally:
        held.cancel()
    failure = recorded.failure
    require(failure is not None, "a call whose input had not ended ended with OK at its deadline")
    assert failure is not None
    require(failure.code == "DEADLINE_EXCEEDED", f"at its deadline a call ended with {failure}")
    await _require_free(running, "a call whose deadline passed")
    return "DEADLINE_EXCEEDED"


@check(
    "concurrency",
    demand="It takes max_concurrency calls at once, refuses one more with RESOURCE_EXHAUSTED/OVERLOADED and RetryInfo, "
    "and takes one again as soon as a place is free.",
    advice="Count calls from their start until their code has come back; refuse before any work is done. Say 0 in "
    "max_concurrency when there is no limit.",
)
async def concurrency(bench: Bench) -> str:
    """Too much is told, not suffered."""
    running = await bench.sidecar()
    request = await bench.main()
    limit = (await running.freed()).max_concurrency
    if limit == 0:
        raise NotApplicableError("it has no limit")
    if limit > _MOST_HELD:
        raise NotApplicableError(f"its limit of {limit} is more than the {_MOST_HELD} calls that are held open here")
    held: list[Held] = []
    try:
        while len(held) < limit:
            held.append(await _take_place(running.stub, request, f"call {len(held) + 1} of {limit}"))
        one_more = await calls.transform(running.stub, request)
        _require_overloaded(one_more.failure, limit)
        held.pop().cancel()
        await running.freed(limit - 1)
        held.append(await _take_place(running.stub, request, "a call after a place was freed"))
    finally:
        for call in held:
            call.cancel()
    await _require_free(running, f"one of {limit} calls that were cancelled")
    return f"{limit} calls, the next one OVERLOADED"


def _require_overloaded(failure: Failure | None, limit: int) -> None:
    require(failure is not None, f"a call was taken while {limit} were running")
    assert failure is not None
    right = failure.code == "RESOURCE_EXHAUSTED" and failure.reasons == ("OVERLOADED",)
    require(right, f"one more than {limit} calls is refused with {failure}")
    require(failure.retry, "the refusal does not say when to try again: it has no RetryInfo")


async def _take_place(stub: Any, request: Any, what: str) -> Held:
    try:
        return await Held.open(stub, request)
    except grpc.aio.AioRpcError as error:
        raise CheckFailedError(f"{what} was refused: {Failure.of(error)}") from None


async def _cancel_after_first_event(running: Running, request: Any) -> None:
    call = running.stub.Transform(request, timeout=calls.CALL_SECONDS)
    try:
        await call.read()
    finally:
        call.cancel()


async def _require_free(running: Running, what: str) -> None:
    said = await running.freed()
    stuck = f", {said.stuck_calls} of them stuck" if said.stuck_calls else ""
    require(
        said.active_calls == 0,
        f"{what} still holds its place after {FREE_SECONDS:g} s (active_calls {said.active_calls}{stuck})",
    )
