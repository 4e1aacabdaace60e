"""How it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

import grpc
import psutil
from grpc_health.v1 import health_pb2
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_broker.conformance import calls
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.calls import Held
from mediaconduit_broker.conformance.check import CheckFailedError, NotApplicableError, SkippedError, check, require
from mediaconduit_broker.conformance.running import SERVICE, Running
from mediaconduit_broker.conformance.settings import secret_names, settings_schema, value_at
from mediaconduit_broker.conformance.statuses import Failure
from mediaconduit_broker.runners import Exit

DRAIN_SECONDS: Final = 15.0
"""Within this a sidecar whose last call has ended is gone."""
LIFELINE_SECONDS: Final = 5.0
_NOTICE_SECONDS: Final = 5.0
_CANARY: Final = "canary-5f3a9c17-never-to-be-told"
_SHORTEST: Final = 6
"""Shorter secrets may stand in a log by chance."""
_APART: Final = "import signal, subprocess, sys; subprocess.call(sys.argv[1:], start_new_session=True); signal.pause()"
"""Runs a command in a session of its own and stays when that has ended: with the end of what it started itself the
runner clears away whatever is left, as a broker does, and nobody would see who outlived whom."""


@check(
    "secrets",
    demand="Secrets of the manifest and settings marked writeOnly never stand in its log, in what Describe says or in "
    "a failure.",
    advice="Log names of settings, not values; keep requests and headers to vendors out of the log. A refusal says "
    "which setting is wrong without repeating it.",
)
async def secrets(bench: Bench) -> str:
    """A log is read by many."""
    schema = settings_schema(await (await bench.sidecar()).describe()) or {}
    names = list(secret_names(schema))
    keys = bench.subject.secrets
    if not names and not keys:
        if missing := bench.subject.missing:
            raise SkippedError(f"needs {', '.join(missing)}")
        raise NotApplicableError("it has no secret settings")
    given = [str(value) for name in names if (value := value_at(bench.subject.settings, name)) is not None]
    given += [secret.reveal() for secret in keys.values()]
    settings = dict(bench.subject.settings) | {name: _CANARY for name in names if "." not in name}
    told = await _answers_about(bench, settings)
    written = [record.text for record in bench.logs.tail(10**6)]
    for secret in [_CANARY, *(value for value in given if len(value) >= _SHORTEST)]:
        require(not any(secret in line for line in written), "the value of a secret stands in its log")
        require(secret not in told, "the value of a secret is told to callers")
    return ", ".join([*keys, *names])


@check(
    "drain",
    demand="At SIGTERM its health says NOT_SERVING, new calls are refused with UNAVAILABLE/PROVIDER_DRAINING, a "
    "running one may finish, and it exits with 0.",
    advice="Handle SIGTERM: set health, refuse new calls, wait for the running ones for as long as is reasonable, then "
    "exit with 0.",
)
async def drain(bench: Bench) -> str:
    """Nobody's call is lost to an update."""
    running = await bench.sidecar()
    try:
        seen = await _drain_with_call(bench, running, await bench.main())
    except NotApplicableError as reason:
        os.kill(running.sidecar.pid, signal.SIGTERM)
        seen = f"without a call ({reason})"
    try:
        ended = await _ended(running, DRAIN_SECONDS)
    finally:
        await bench.end()
    require(ended is not None, f"it still ran {DRAIN_SECONDS:g} s after its last call had ended")
    require(ended == Exit(0, None), f"the sidecar {ended}")
    return f"{seen}, exit code 0"


async def _drain_with_call(bench: Bench, running: Running, request: TransformRequest) -> str:
    held = await Held.open(running.stub, request)
    watch = running.health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    try:
        await watch.read()
        os.kill(running.sidecar.pid, signal.SIGTERM)
        await _until_not_serving(watch)
        refusal = (await calls.transform(running.stub, request)).failure
        require(refusal is not None, "a new call was taken while it drained")
        right = refusal and refusal.code == "UNAVAILABLE" and refusal.reasons == ("PROVIDER_DRAINING",)
        require(right, f"while it drained a new call was refused with {refusal}")
        failure = (await held.finish()).failure
        require(failure is None, f"a call that ran when SIGTERM came could not finish: {failure}")
    except BaseException:
        await bench.end()  # it has been told to go
        raise
    finally:
        watch.cancel()
        held.cancel()
    return "the running call finished"


@check(
    "lifeline",
    demand="When its stdin closes it ends within 5 s, with every process it started, whatever it is doing.",
    advice="With MEDIACONDUIT_LIFELINE=stdin read stdin until EOF, then stop: no waiting for calls. Kill what you "
    "started; the broker may be gone and cannot.",
)
async def lifeline(bench: Bench) -> str:
    """Nothing outlives a broker that was killed."""
    async with bench.own_sidecar(sys.executable, "-I", "-c", _APART) as running:
        held: Held | None = None
        with contextlib.suppress(NotApplicableError):
            held = await Held.open(running.stub, await bench.main())
        wrapper = psutil.Process(running.sidecar.pid)
        family = wrapper.children(recursive=True)
        try:
            running.sidecar.close_lifeline()
            _, still = await asyncio.to_thread(psutil.wait_procs, wrapper.children(), LIFELINE_SECONDS)
            require(not still, f"it still ran {LIFELINE_SECONDS:g} s after its stdin had closed")
            left = await asyncio.to_thread(_survivors, family)
            require(not left, f"{len(left)} of the processes it started outlived it: {', '.join(left)}")
        finally:
            if held is not None:
                held.cancel()
            _kill(family)
    return f"it and {len(family) - 1} other processes ended" if len(family) > 1 else "it ended"


async def _answers_about(bench: Bench, settings: Mapping[str, Any]) -> str:
    """What callers are told by a sidecar with these settings, whether it takes them or not."""
    told = []
    async with bench.own_sidecar() as running:
        try:
            await running.configure(settings)
        except grpc.aio.AioRpcError as error:
            told.append(_all_of(error))
        told.append(str(await running.describe()))
        with contextlib.suppress(NotApplicableError):
            failure = (await calls.transform(running.stub, await bench.main())).failure
            told.append(_text_of(failure))
    return "\n".join(told)


def _all_of(error: grpc.aio.AioRpcError) -> str:
    return _text_of(Failure.of(error))


def _text_of(failure: Failure | None) -> str:
    return "" if failure is None else f"{failure.message} {failure.metadata} {failure.fields}"


async def _until_not_serving(watch: Any) -> None:
    try:
        async with asyncio.timeout(_NOTICE_SECONDS):
            while (answer := await watch.read()) is not grpc.aio.EOF:
                if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
                    return
    except TimeoutError:
        raise CheckFailedError(f"its health still said SERVING {_NOTICE_SECONDS:g} s after SIGTERM") from None
    except grpc.aio.AioRpcError as error:
        raise CheckFailedError(f"it closed its connections at SIGTERM: {Failure.of(error)}") from None
    raise CheckFailedError("its health never said NOT_SERVING after SIGTERM")


async def _ended(running: Running, seconds: float) -> Exit | None:
    try:
        async with asyncio.timeout(seconds):
            return await running.sidecar.wait()
    except TimeoutError:
        return None


def _survivors(family: list[psutil.Process]) -> list[str]:
    """Names of those that still run a moment later. Those that nobody has reaped yet do not run."""
    _, alive = psutil.wait_procs(family, timeout=0.5)
    names = []
    for process in alive:
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                names.append(process.name())
    return names


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
