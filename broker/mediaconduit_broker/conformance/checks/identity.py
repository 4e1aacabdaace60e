"""Who answers, and whether it says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.check import NotApplicableError, check, require
from mediaconduit_broker.conformance.running import SERVICE, UNARY_SECONDS, Running
from mediaconduit_broker.conformance.settings import settings_schema
from mediaconduit_broker.conformance.statuses import Failure

_HEALTH: Final = "grpc.health.v1.Health"
_NO_SUCH: Final = "mediaconduit.v1.NoSuchService"
_UNKNOWN_SETTING: Final = "no-such-setting"
_STATUSES: Final[dict[str, int]] = dict(health_pb2.HealthCheckResponse.ServingStatus.items())
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING


@check(
    "start",
    demand="It starts, answers at MEDIACONDUIT_LISTEN, takes its settings and says by its health that it is ready, "
    "all within its manifest's start_timeout.",
    advice="Read the lines it wrote. Give the settings it needs with --set NAME=VALUE, and start_timeout in the "
    "manifest where starting takes long. When this fails, nothing else can be checked.",
)
async def start(bench: Bench) -> str:
    """Nothing works without."""
    await bench.sidecar()
    return "ready"


@check(
    "identity",
    demand="Describe gives the id of the manifest, its version, the nonce in MEDIACONDUIT_INSTANCE and a contract "
    "revision of at least 1.",
    advice="Answer Describe from MEDIACONDUIT_PROVIDER, MEDIACONDUIT_PROVIDER_VERSION and MEDIACONDUIT_INSTANCE; the "
    "broker calls nothing that does not give its nonce back.",
)
async def identity(bench: Bench) -> str:
    """The broker must know that it talks to the process it started."""
    running = await bench.sidecar()
    said = await running.describe()
    launch = running.launch
    require(said.provider_id == launch.provider_id, f"provider_id is {said.provider_id!r}, not {launch.provider_id!r}")
    require(said.instance_id == launch.instance, "instance_id is not the nonce it was started with")
    require(said.version == launch.version, f"version is {said.version!r}, not {launch.version!r}")
    require(said.contract_revision >= 1, f"contract_revision is {said.contract_revision}; the first is 1")
    return f"{said.provider_id} {said.version}, contract revision {said.contract_revision}"


@check(
    "health",
    demand='grpc.health.v1 says SERVING of "" as soon as it answers, SERVING of mediaconduit.v1.MediaProvider once it '
    "takes calls and has the keys of its manifest, and from then on, and NOT_FOUND of a service it does not have.",
    advice='Serve grpc.health.v1.Health: "" is whether the process lives, mediaconduit.v1.MediaProvider whether it '
    "takes calls. The health library of your language does the rest.",
)
async def health(bench: Bench) -> str:
    """Readiness is told, not guessed."""
    running = await bench.sidecar()
    require(running.alive == _SERVING, f'while it started, "" was {_name(running.alive)}, not SERVING')
    fault = transition_fault(running.statuses, waits=bool(bench.subject.manifest.secrets))
    require(not fault, fault)
    for service in ("", SERVICE):
        answer = await running.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=UNARY_SECONDS)
        require(answer.status == _SERVING, f'"{service}" is {_name(answer.status)}, not SERVING')
    unknown = await _refusal(running, _NO_SUCH)
    require(unknown == "NOT_FOUND", f"a service it does not have is {unknown or 'known to it'}, not NOT_FOUND")
    return " → ".join(_name(status) for status in running.statuses)


@check(
    "reflection",
    demand="Server reflection lists mediaconduit.v1.MediaProvider, grpc.health.v1.Health and every service that "
    "Describe.services names, and gives the descriptor of the first.",
    advice="Enable the reflection service of your gRPC library and name the services to it.",
)
async def reflection(bench: Bench) -> str:
    """Tools find out what a provider serves by asking it."""
    running = await bench.sidecar()
    promised = {SERVICE, _HEALTH, *(await running.describe()).services}
    ask = reflection_pb2.ServerReflectionRequest
    listing, symbol = await _reflect(running, ask(list_services=""), ask(file_containing_symbol=SERVICE))
    listed = {service.name for service in listing.list_services_response.service}
    require(promised <= listed, f"it does not list {', '.join(sorted(promised - listed))}")
    require(symbol.file_descriptor_response.file_descriptor_proto, f"it has no descriptor of {SERVICE}")
    return f"{len(listed)} services"


@check(
    "describe",
    demand="Describe gives a settings_schema that is a JSON Schema of an object, limits and counts that are not "
    "negative, and no active or stuck calls while there are none.",
    advice="Count a call as active from its start until its code has come back, however it ended; 0 in max_concurrency "
    "means no limit. settings_schema is JSON text, also when there are no settings.",
)
async def describe(bench: Bench) -> str:
    """The broker plans by these figures."""
    said = await (await bench.sidecar()).freed()
    schema = settings_schema(said)
    require(schema is not None, "settings_schema is not a JSON Schema of an object")
    require(said.max_concurrency >= 0, f"max_concurrency is {said.max_concurrency}")
    require(said.active_calls == 0, f"active_calls is {said.active_calls} while there are none")
    require(said.stuck_calls == 0, f"stuck_calls is {said.stuck_calls} while there are none")
    limit = f"{said.max_concurrency} calls at once" if said.max_concurrency else "no limit of calls"
    return f"{len((schema or {}).get('properties', {}))} settings, {limit}"


@check(
    "configure",
    demand="Configure refuses a setting that settings_schema does not have with INVALID_ARGUMENT/INPUT_INVALID, names "
    "its field, and stays as it was.",
    advice="Validate the settings as a whole against settings_schema before any of them is used, and answer with a "
    'BadRequest whose fields begin with "settings".',
)
async def configure(bench: Bench) -> str:
    """A mistyped setting must not be taken for none."""
    running = await bench.sidecar()
    schema = settings_schema(await running.describe()) or {}
    if schema.get("additionalProperties") is not False:
        raise NotApplicableError("its schema lets unknown settings through")
    try:
        await running.configure({**bench.subject.settings, _UNKNOWN_SETTING: 1})
    except grpc.aio.AioRpcError as error:
        failure = Failure.of(error)
    else:
        await running.configure(bench.subject.settings)
        require(False, f"it took a setting {_UNKNOWN_SETTING!r}")
    right = failure.code == "INVALID_ARGUMENT" and failure.reasons == ("INPUT_INVALID",)
    require(right, f"it refused an unknown setting with {failure}")
    require(any(field.startswith("settings") for field in failure.fields), "the refusal names no field of the settings")
    answer = await running.health.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=UNARY_SECONDS)
    require(answer.status == _SERVING, f"it was {_name(answer.status)} after settings it refused")
    return f"refused, naming {failure.fields[0]}"


def transition_fault(statuses: Sequence[int], *, waits: bool) -> str:
    """What is wrong with what health said of the service while it started; empty when nothing is. Pure.

    Args:
        statuses: In the order they came.
        waits: Whether it has to wait for keys before it can take calls.
    """
    said = " → ".join(map(_name, statuses))
    if waits and statuses and statuses[0] == _SERVING:
        return f"it was {said} before the keys had come that it is to wait for"
    if _SERVING in statuses[:-1]:
        return f"it was SERVING and then not: {said}"
    unknown = [status for status in statuses if status not in (_SERVING, health_pb2.HealthCheckResponse.NOT_SERVING)]
    return f"it was neither SERVING nor NOT_SERVING: {said}" if unknown else ""


async def _refusal(running: Running, service: str) -> str:
    """Code with which health refuses a service; empty when it does not."""
    try:
        await running.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=UNARY_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return ""


async def _reflect(running: Running, *questions: Any) -> list[Any]:
    channel: Any = running.channel  # typed for the other flavour of grpc
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(timeout=UNARY_SECONDS)
    answers = []
    for question in questions:
        await call.write(question)
        answers.append(await call.read())
    await call.done_writing()
    call.cancel()
    return answers


def _name(status: int) -> str:
    return {number: name for name, number in _STATUSES.items()}.get(status, str(status))
