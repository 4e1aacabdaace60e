"""Whether it holds its ground against names it does not know, and inputs of no size and of every size."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import grpc
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1 import provider_pb2
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.models_pb2 import Model
from mediaconduit.v1.transform_pb2 import InputChunk, TransformLiveRequest, TransformRequest

from mediaconduit_broker.conformance import calls, samples
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.calls import STREAM, Recorded
from mediaconduit_broker.conformance.cases import INVALID, NOT_FOUND, TOO_LARGE, Case, changed
from mediaconduit_broker.conformance.check import check, require
from mediaconduit_broker.conformance.running import UNARY_SECONDS, Running
from mediaconduit_broker.conformance.statuses import Failure

_MISSING: Final = "no-such-model"
_FOREIGN: Final = "providers/somebody-else/models/anything"
_HUGE: Final = 32 * 1024 * 1024
"""What is sent to a model that takes inputs of any size: more than any message may have."""
_LARGEST: Final = 64 * 1024 * 1024
"""Limits above are not tried out."""
_WORK_SECONDS: Final = 10.0
"""For as long a huge input that was taken may be worked on before it is cancelled."""


@check(
    "unknown-model",
    demand="A model that is not there, or is another provider's, ends GetModel, Transform and TransformLive with "
    "NOT_FOUND/MODEL_NOT_FOUND.",
    advice="Look the name up before any work, whole: providers/{id}/models/{model}. Never fall back to a model that "
    "was not asked for.",
)
async def unknown_model(bench: Bench) -> str:
    """Nobody is answered by another model than the one asked for."""
    stub = (await bench.sidecar()).stub
    request = await bench.sample()
    for name in (bench.subject.prefix + _MISSING, _FOREIGN, bench.subject.prefix):
        reasons = (*NOT_FOUND[1], "PROVIDER_NOT_FOUND") if name == _FOREIGN else NOT_FOUND[1]
        wrong = changed(request, model=name)
        Case(f"GetModel of {name}", NOT_FOUND[0], reasons).judge(await _get_model(stub, name))
        Case(f"Transform by {name}", NOT_FOUND[0], reasons).judge((await calls.transform(stub, wrong)).failure)
        Case(f"TransformLive by {name}", NOT_FOUND[0], reasons).judge((await calls.upload(stub, wrong)).failure)
    return "refused by all three calls"


@check(
    "empty-input",
    demand="An input without turns, with an empty part, or of no bytes is refused with INVALID_ARGUMENT/INPUT_INVALID.",
    advice="Check that there is something to work on before any work; a vendor's error for it is no answer to give.",
)
async def empty_input(bench: Bench) -> str:
    """Nothing is not something."""
    stub = (await bench.sidecar()).stub
    request = await bench.sample()
    for what, turns in _empty(request):
        wrong = changed(request, turns=turns)
        Case(what, *INVALID).judge((await calls.transform(stub, wrong)).failure)
    pieces = [
        TransformLiveRequest(start=calls.announced(request)[0]),
        TransformLiveRequest(chunk=InputChunk(stream=STREAM, last=True)),
    ]
    # Whether a stream brings nothing is known when work on it has begun.
    arriving = Case("a stream that ends at once", may_succeed=True)
    arriving.judge((await calls.live(stub, pieces, request)).failure)
    return "no turns, an empty part and no bytes are refused"


@check(
    "large-input",
    demand="An input over a model's limit is refused with INVALID_ARGUMENT/INPUT_TOO_LARGE as soon as it outgrows it; "
    "a model without a limit works on 32 MiB in chunks, or refuses them as the contract says. No place is held "
    "afterwards.",
    advice="Count the bytes of a part as they come and stop at InputSpec.max_bytes. Keep what is large in a file, not "
    "in memory.",
)
async def large_input(bench: Bench) -> str:
    """What is too much for it does it no harm."""
    running = await bench.sidecar()
    seen = []
    for capability, model, limit in _to_try(await bench.tried()):
        request = bench.request(capability, model)
        recorded = await _send(running, request, limit + 1 if limit else _HUGE)
        if limit:
            case = Case(f"{capability}: an input over its limit of {limit} bytes", *TOO_LARGE, begins=True)
        else:
            case = Case(f"{capability}: an input of {_HUGE} bytes", may_succeed=True, begins=True)
        case.judge(recorded.failure)
        seen.append(f"{capability} {_verdict(recorded, limit)}")
        said = await running.freed()
        require(said.active_calls == 0, f"{capability}: a large input still holds its place")
    return "; ".join(seen) or "its limits are more than is tried"


def _to_try(tried: Sequence[tuple[str, Model]]) -> list[tuple[str, Model, int]]:
    """The one with the lowest limit, and one without: a vendor is not to be sent everything many times."""
    limits = [(capability, model, _limit(model)) for capability, model in tried]
    limited = sorted((entry for entry in limits if 0 < entry[2] <= _LARGEST), key=lambda entry: entry[2])
    return [*limited[:1], *[entry for entry in limits if entry[2] == 0][:1]]


def _limit(model: Model) -> int:
    spec = samples.spec_of(model)
    return spec.max_bytes if spec is not None else 0


def _verdict(recorded: Recorded, limit: int) -> str:
    if limit:
        return f"refuses more than {limit} bytes"
    if recorded.failure is None:
        return f"takes {_HUGE} bytes"
    return f"refuses {_HUGE} bytes with {'+'.join(recorded.failure.reasons)}"


def _empty(request: TransformRequest) -> Iterator[tuple[str, list[Turn]]]:
    yield "an input without turns", []
    yield "a turn without parts", [Turn(role=Role.ROLE_USER)]
    yield "a part without content", [Turn(role=Role.ROLE_USER, parts=[Part()])]
    main = next(part for turn in reversed(request.turns) for part in turn.parts if not part.name)
    empty = Part(text="") if main.HasField("text") else Part(data=b"", media_type=main.media_type)
    yield "an input of no bytes", [Turn(role=Role.ROLE_USER, parts=[empty])]


async def _send(running: Running, request: TransformRequest, size: int) -> Recorded:
    """Sends so many bytes in chunks, however it goes; what was taken is cancelled after a while."""
    start, content = calls.announced(request)
    call = running.stub.TransformLive(timeout=calls.CALL_SECONDS)
    recorded = Recorded(request)
    try:
        async with asyncio.timeout(_WORK_SECONDS):
            await calls.send(call, itertools.chain([TransformLiveRequest(start=start)], _chunks(content, size)))
            await calls.read(call, recorded)
    except TimeoutError:
        pass  # it was taken, and is being worked on
    finally:
        call.cancel()
    return recorded


def _chunks(content: bytes, size: int) -> Iterator[TransformLiveRequest]:
    """The sample over and over: a beginning that is what it says, and a length that is not."""
    block = (content * (CHUNK_BYTES // max(1, len(content)) + 1))[:CHUNK_BYTES]
    for at in range(0, size, CHUNK_BYTES):
        data = block[: min(CHUNK_BYTES, size - at)]
        yield TransformLiveRequest(chunk=InputChunk(stream=STREAM, data=data, last=at + CHUNK_BYTES >= size))


async def _get_model(stub: Any, name: str) -> Failure | None:
    try:
        await stub.GetModel(provider_pb2.GetModelRequest(name=name), timeout=UNARY_SECONDS)
    except grpc.aio.AioRpcError as error:
        return Failure.of(error)
    return None
