"""Whether it does what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from mediaconduit.v1.events_pb2 import OutputKind, OutputStarted
from mediaconduit.v1.models_pb2 import Model
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_broker.conformance import calls, events
from mediaconduit_broker.conformance.bench import Bench, converses
from mediaconduit_broker.conformance.calls import Recorded
from mediaconduit_broker.conformance.check import CheckFailedError, NotApplicableError, SkippedError, check, require

_CALLS: Final = 100
_AGAIN_SECONDS: Final = 20.0
"""For as long calls that found no place are made again."""
_ONLY_CONVERSES: Final = ("CAPABILITY_UNSUPPORTED",)
"""How a model with the feature "live" says that it takes no whole input."""
_KINDS: Final = {
    "text": {OutputKind.OUTPUT_KIND_TEXT, OutputKind.OUTPUT_KIND_TRANSCRIPT, OutputKind.OUTPUT_KIND_TOOL_CALL},
    "embedding": {OutputKind.OUTPUT_KIND_EMBEDDING},
    "scores": {OutputKind.OUTPUT_KIND_SCORES},
}
Make = Callable[[Any, TransformRequest, Model], Coroutine[Any, Any, Recorded]]


@check(
    "transform",
    demand="For each capability, a model that has it turns a sample into an output of the right kind and ends with OK.",
    advice="Call it yourself with `mediaconduit transform` and read its log. A model that needs a named input declares "
    "it as required, and one that takes certain media types lists them, so that a fitting sample is sent.",
)
async def transform(bench: Bench) -> str:
    """The point of it all."""
    return await _try_all(bench, lambda stub, request, _: calls.transform(stub, request))


@check(
    "upload",
    demand="TransformLive takes the same input in chunks and gives the same kind of output.",
    advice="Part.stream announces content that follows as InputChunks; `last`, or the end of the requests, ends it. "
    "Inputs over 1 MiB always come like this.",
)
async def upload(bench: Bench) -> str:
    """Large inputs come in pieces."""
    return await _try_all(bench, lambda stub, request, model: calls.upload(stub, request, respond=converses(model)))


@check(
    "events",
    demand="In every call that succeeded, started comes first and one completed last; the sequence has "
    "no gaps; outputs begin in order, before their deltas, and complete with their true size and SHA-256.",
    advice="Number events 1, 2, 3 … across messages, number outputs from 0, complete each before `completed`, and send "
    "nothing after that.",
)
async def event_order(bench: Bench) -> str:
    """Clients rely on the order."""
    succeeded = [recorded for recorded in bench.recorded if recorded.failure is None]
    if not succeeded:
        raise NotApplicableError("no call has succeeded so far")
    for recorded in succeeded:
        if faults := events.faults(recorded.events, recorded.request.model):
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise CheckFailedError(f"{recorded.request.capability}: {faults[0]}{more}")
    return f"{sum(len(recorded.events) for recorded in succeeded)} events of {len(succeeded)} calls"


@check(
    "parallel",
    demand="Of 100 calls at once, each succeeds or is refused with OVERLOADED, or by its vendor with RATE_LIMITED; "
    "those that found no place succeed when they are made again, and no place is held afterwards.",
    advice="Keep what belongs to a call in the call. A provider that can only do so many at once says so in "
    "max_concurrency and refuses the rest at once.",
)
async def parallel(bench: Bench) -> str:
    """Calls do not see each other, and a crowd breaks nothing."""
    running = await bench.sidecar()
    request = await bench.main()
    limit = min((await running.freed()).max_concurrency or _CALLS, _CALLS)
    started = time.monotonic()
    crowd = await _at_once([calls.transform(running.stub, request) for _ in range(_CALLS)])
    slowed = [recorded for recorded in crowd if _is(recorded, "RATE_LIMITED")]
    taken = [recorded for recorded in crowd if not _is(recorded, "OVERLOADED") and recorded not in slowed]
    _require_all(taken, request)
    enough = len(taken) + len(slowed) >= limit
    require(enough, f"of {_CALLS} calls at once {len(taken)} were taken; its limit is {limit}")
    done, refused = len(taken), _CALLS - len(taken) - len(slowed)
    # A vendor that asks for patience has its way: its limits are none of the provider's.
    while not slowed and done < _CALLS and time.monotonic() - started < _AGAIN_SECONDS:
        await running.freed()
        some = min(limit, _CALLS - done)
        _require_all(await _at_once([calls.transform(running.stub, request) for _ in range(some)]), request)
        done += some
    left = (await running.freed()).active_calls
    require(left == 0, f"active_calls is {left} after the last has ended")
    asides = {
        "refused at first": refused,
        "slowed down by the vendor": len(slowed),
        "not tried again for want of time": 0 if slowed else _CALLS - done,
    }
    return ", ".join([f"{done} calls", *(f"{count} {what}" for what, count in asides.items() if count)])


async def _at_once(made: Sequence[Coroutine[Any, Any, Recorded]]) -> list[Recorded]:
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(call, name=f"call {number}") for number, call in enumerate(made, 1)]
    return [task.result() for task in running]


def _is(recorded: Recorded, reason: str) -> bool:
    return recorded.failure is not None and recorded.failure.reasons == (reason,)


def _require_all(made: Sequence[Recorded], request: TransformRequest) -> None:
    failed = [recorded.failure for recorded in made if recorded.failure is not None]
    require(not failed, f"{len(failed)} of {len(made)} calls failed, one of them with {failed[0] if failed else ''}")
    poor = sum(not _fits(request.capability, recorded) for recorded in made)
    require(not poor, f"{poor} of {len(made)} calls gave no {_result(request.capability)}")


async def _try_all(bench: Bench, make: Make) -> str:
    tried = await bench.tried()
    if not tried:
        raise NotApplicableError(await bench.why_nothing())
    stub = (await bench.sidecar()).stub
    worked: list[str] = []
    needs: dict[str, str] = {}
    wrong: list[str] = []
    for capability, model in tried:
        recorded = await make(stub, bench.request(capability, model), model)
        if converses(model) and recorded.failure is not None and recorded.failure.reasons == _ONLY_CONVERSES:
            continue
        if recorded.failure is not None and recorded.failure.needs:
            needs[capability] = recorded.failure.needs
            continue
        worked.append(capability)
        bench.recorded.append(recorded)
        where = f"{capability} with {model.name.removeprefix(bench.subject.prefix)}"
        if recorded.failure is not None:
            wrong.append(f"{where} failed: {recorded.failure}")
        elif not _fits(capability, recorded):
            wrong.append(f"{where} gave no {_result(capability)}")
    if wrong:
        raise CheckFailedError("\n".join(wrong) + await bench.death())
    if needs:
        seen = f"; {', '.join(worked)} worked" if worked else ""
        raise SkippedError(f"needs {', '.join(sorted(set(needs.values())))} for {', '.join(needs)}{seen}")
    live = {capability for capability, _ in tried} - set(worked)
    others = {c for model in await bench.listed() for c in model.capabilities} - {capability for capability, _ in tried}
    parts = [
        ", ".join(worked),
        f"only in conversations: {', '.join(sorted(live))}" if live else "",
        f"not tried, for want of a sample they take: {', '.join(sorted(others))}" if others else "",
    ]
    return "; ".join(part for part in parts if part)


def _fits(capability: str, recorded: Recorded) -> bool:
    """Whether one of the outputs is what the capability promises."""
    result = _result(capability)
    return any(_makes(result, started) for started in events.outputs(recorded.events))


def _makes(result: str, started: OutputStarted) -> bool:
    if result in _KINDS:
        return started.kind in _KINDS[result]
    is_data = started.kind == OutputKind.OUTPUT_KIND_DATA
    return is_data and (result == "3d" or started.media_type.partition("/")[0] == result or _animated(result, started))


def _animated(result: str, started: OutputStarted) -> bool:
    return result == "video" and started.media_type == "image/gif"


def _result(capability: str) -> str:
    return capability.partition("-to-")[2]
