"""Whether it refuses what is wrong, and says it as the contract demands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mediaconduit.v1 import models_pb2
from mediaconduit.v1.media_pb2 import Part, Role, Turn
from mediaconduit.v1.transform_pb2 import InputChunk, TransformLiveRequest, TransformRequest

from mediaconduit_broker.conformance import calls, options, samples
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.cases import INVALID, TOO_LARGE, Case, changed
from mediaconduit_broker.conformance.check import NotApplicableError, check, require
from mediaconduit_broker.manifest.schema import CAPABILITIES

_MOST_OPTIONS: Final = 24
"""Values out of range that are tried on one model."""
_SENDABLE: Final = 3 * 1024 * 1024


@check(
    "options",
    demand="A shared option the model lacks, an unknown one in extra, and a value outside of its schema are refused "
    "with INVALID_ARGUMENT/INPUT_INVALID and a BadRequest that names the field.",
    advice='Check the options against options_schema before any work. Fields are named like "options.audio.speed".',
)
async def refused_options(bench: Bench) -> str:
    """An option that is ignored silently is a wrong answer."""
    await bench.sample()
    running, count = await bench.sidecar(), 0
    for capability, model in await bench.tried():
        for wrong in _wrong_options(bench.schema(model)):
            request = bench.request(capability, model)
            options.put(request.options, wrong.path, wrong.value)
            failure = (await calls.transform(running.stub, request)).failure
            what = f"options.{wrong.path} = {wrong.value!r}"
            require(failure is not None, f"{capability}: {what} was taken")
            assert failure is not None
            right = failure.code == "INVALID_ARGUMENT" and failure.reasons == ("INPUT_INVALID",)
            require(right, f"{capability}: {what} was refused with {failure}")
            require(
                any(_names(field, wrong.path) for field in failure.fields),
                f"{capability}: the refusal of {what} names {', '.join(failure.fields) or 'no field'}",
            )
            count += 1
    if not count:
        raise NotApplicableError("its models have every option that is known here, and no ranges")
    return f"{count} wrong options"


@check(
    "lenient",
    demand="With `lenient`, an option the model lacks is dropped with a notice, and the call succeeds.",
    advice="Take the option out, send a notice event that names it, and go on: fall-backs to other models need it.",
)
async def lenient(bench: Bench) -> str:
    """Fall-backs run lenient."""
    for capability, model in await bench.working():
        lacking = options.lacking(bench.schema(model))
        if lacking is None:
            continue
        request = bench.request(capability, model)
        options.put(request.options, lacking.path, lacking.value)
        request.options.lenient = True
        recorded = await calls.transform((await bench.sidecar()).stub, request)
        require(recorded.failure is None, f"options.{lacking.path} with lenient failed: {recorded.failure}")
        notices = [event.notice for event in recorded.events if event.WhichOneof("event") == "notice"]
        told = any(lacking.path in f"{notice.code} {notice.message}" for notice in notices)
        require(told, f"options.{lacking.path} was dropped without a notice that names it")
        return f"options.{lacking.path} dropped with a notice"
    raise NotApplicableError("its models have every option that is known here")


@check(
    "errors",
    demand="Wrong requests end with the code and reason of the contract: one ErrorInfo of domain mediaconduit, details "
    "under 4 KiB, and neither a traceback nor a path of the machine.",
    advice="Translate failures at one place. What nobody foresaw becomes INTERNAL with an error id, and its text goes "
    "to the log only. errors.proto has the list of reasons, each with its code.",
)
async def errors(bench: Bench) -> str:
    """Callers act on codes and reasons, not on texts."""
    request = await bench.sample()
    model = await bench.model(request.model)
    stub = (await bench.sidecar()).stub
    count = 0
    for case, wrong in _wrong_requests(request, model):
        case.judge((await calls.transform(stub, wrong)).failure)
        count += 1
    for case, pieces in _wrong_pieces(request):
        case.judge((await calls.live(stub, pieces, request)).failure)
        count += 1
    return f"{count} wrong requests"


def _wrong_pieces(request: TransformRequest) -> Iterator[tuple[Case, list[TransformLiveRequest]]]:
    orphan = TransformLiveRequest(chunk=InputChunk(stream=77, data=b"x"))
    start = TransformLiveRequest(start=calls.announced(request)[0])
    yield Case("a live call that does not begin with start", *INVALID), [orphan]
    yield Case("a chunk of a stream that was not announced", *INVALID, begins=True), [start, orphan]
    yield Case("a second start", *INVALID, begins=True), [start, start]
    yield Case("a piece that is none", *INVALID, begins=True), [start, TransformLiveRequest()]


def _wrong_requests(request: TransformRequest, model: models_pb2.Model) -> Iterator[tuple[Case, TransformRequest]]:
    lacking = next((c for c in CAPABILITIES if c not in model.capabilities), "")
    unsupported = Case(f"the capability {lacking}", "FAILED_PRECONDITION", ("CAPABILITY_UNSUPPORTED",))
    yield unsupported, changed(request, capability=lacking)
    spec = samples.spec_of(model)
    if spec is not None and spec.media_types and not samples.takes(spec, "application/x-nothing"):
        part = Part(media_type="application/x-nothing", data=b"x")
        strange = [Turn(role=Role.ROLE_USER, parts=[part])]
        yield Case("a media type it does not take", *INVALID), changed(request, turns=strange)
    main = next(part for turn in reversed(request.turns) for part in turn.parts if not part.name)
    if spec is not None and 0 < spec.max_bytes < _SENDABLE and main.HasField("text"):
        part = Part(text="x" * (spec.max_bytes + 1), media_type=main.media_type)
        large = [Turn(role=Role.ROLE_USER, parts=[part])]
        yield Case("an input over its limit", *TOO_LARGE), changed(request, turns=large)
    if main.HasField("data"):
        broken = [Turn(role=Role.ROLE_USER, parts=[samples.garbage(main)])]
        yield Case("bytes that are not what they say", may_succeed=True), changed(request, turns=broken)


def _wrong_options(schema: options.Schema) -> list[options.Violation]:
    wrong = list(options.violations(schema))[:_MOST_OPTIONS]
    if (lacking := options.lacking(schema)) is not None:
        wrong.append(lacking)
    if not options.takes_any_extra(schema):
        wrong.append(options.Violation(options.UNKNOWN_EXTRA, 1))
    return wrong


def _names(field: str, path: str) -> bool:
    """Whether a BadRequest's field is the option, its group or something within it."""
    full = f"options.{path}"
    return field == full or full.startswith(f"{field}.") or field.startswith(full)
