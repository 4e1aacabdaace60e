"""Runs all checks on one provider."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
from mediaconduit.errors import NotFoundError, Reason

from mediaconduit_broker.conformance import checks
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.check import (
    CHECKS,
    Check,
    CheckFailedError,
    NotApplicableError,
    Outcome,
    Report,
    SkippedError,
)
from mediaconduit_broker.conformance.children import stand_in
from mediaconduit_broker.conformance.settings import filled
from mediaconduit_broker.conformance.statuses import Failure
from mediaconduit_broker.conformance.subject import Subject, samples_of
from mediaconduit_broker.environments import (
    BuildStep,
    Environment,
    EnvironmentBuilder,
    EnvironmentRequest,
    Permissions,
)
from mediaconduit_broker.manifest import Conformance, Manifest, read_manifest
from mediaconduit_broker.runners import ProcessRunner
from mediaconduit_broker.runners.variables import passed_on
from mediaconduit_broker.secrets import EnvironmentSource, Secret, SecretStore
from mediaconduit_broker.sources import Checkout, Sources
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust import check_by_hand

CHECK_SECONDS: Final = 180.0
"""Longest a check may take."""
_START_SECONDS: Final = 60.0
_BUILD_SECONDS: Final = 600.0
_FIRST: Final = "start"

Reporter = Callable[[BuildStep | Outcome], None]

assert checks  # importing them has registered them


async def run_conformance(
    source: str,
    *,
    settings: Mapping[str, Any],
    base: Path,
    state: StateFolder,
    environ: Mapping[str, str],
    secrets: Mapping[str, str] | None = None,
    live: bool = False,
    models: Collection[str] = (),
    permissions: Permissions | None = None,
    fetch: Callable[[], Sources] | None = None,
    allow: Sequence[str] = (),
    report: Reporter = lambda news: None,
    only: Collection[str] = (),
) -> Report:
    """Runs the checks on the provider at `source`, over the wire, and ends whatever was started.

    Args:
        source: Any form of source.
        settings: Handed over by Configure.
        base: Where relative paths begin.
        state: Whose environments are used and added to.
        environ: The caller's variables; the provider gets what its manifest names.
        secrets: Values of secrets, before those that `environ` holds.
        live: Ask the vendor itself, not what stands in for it according to the manifest.
        models: Ids of the only models to try; empty = those the manifest says, else any.
        permissions: What its build may do; None = what any may.
        fetch: Makes what fetches its code; None = without mirrors and tokens.
        allow: Patterns of places its code may come from, beside those `state` has.
        report: Told of every step of the build and of every check as it ends.
        only: Names of the checks wanted; empty = all. "start" always runs.

    Raises:
        NotFoundError: There is no such source, or no such check.
        PreconditionError: Its manifest is invalid or its environment cannot be built.
    """
    if unknown := set(only) - set(CHECKS):
        raise NotFoundError(
            f"there is no check {', '.join(sorted(unknown))}",
            reason=Reason.RESOURCE_NOT_FOUND,
            hint=f"the checks are {', '.join(CHECKS)}",
        )
    await asyncio.to_thread(check_by_hand, source, state, base=base, allow=allow)
    async with contextlib.aclosing(fetch() if fetch else Sources(state.sources, environ, base=base)) as sources:
        checkout = await _checkout(source, sources, report)
    manifest = await asyncio.to_thread(read_manifest, checkout.folder)
    request = EnvironmentRequest(
        provider_id=manifest.id,
        source=checkout.origin,
        folder=checkout.folder,
        manifest=manifest,
        permissions=permissions or Permissions(),
    )
    environment = await _environment(request, state, environ, report)
    runner = ProcessRunner(environ)
    try:
        async with _subject(manifest, environment, environ, settings, secrets or {}, models, live=live) as subject:
            return await _check(subject, runner, only, report)
    finally:
        runner.close()
        environment.release()


async def _check(subject: Subject, runner: ProcessRunner, only: Collection[str], report: Reporter) -> Report:
    outcomes: list[Outcome] = []
    async with Bench(subject, runner) as bench:
        for wanted in CHECKS.values():
            if only and wanted.name not in only and wanted.name != _FIRST:
                continue
            outcomes.append(await _run(wanted, bench))
            report(outcomes[-1])
            if wanted.name == _FIRST and not outcomes[-1].passed:
                break
    return Report(subject.manifest.id, tuple(outcomes))


@contextlib.asynccontextmanager
async def _subject(
    manifest: Manifest,
    environment: Environment,
    environ: Mapping[str, str],
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    models: Collection[str],
    *,
    live: bool,
) -> AsyncIterator[Subject]:
    """What is tested, with what stands in for its vendor running beside it."""
    own = Conformance() if live else manifest.conformance
    folder, plain = environment.working_folder, passed_on(environ)
    found = (await SecretStore([EnvironmentSource(environ)]).find(manifest.secrets)).values
    # What opens nothing comes before a real key, which has no business at a stand-in.
    values = dict(found) | {name: Secret(value, "given") for name, value in {**own.secrets, **secrets}.items()}
    async with contextlib.AsyncExitStack() as stack:
        upstream = ""
        if own.upstream:
            binaries = os.pathsep.join([str(Path(environment.command[0]).parent), plain.get("PATH", os.defpath)])
            variables = plain | {"PATH": binaries, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
            upstream = await stack.enter_async_context(stand_in(own.upstream, folder=folder, environ=variables))
        yield Subject(
            manifest=manifest,
            folder=folder,
            command=environment.command,
            environ=plain,
            settings={**filled(own.settings, upstream), **settings},
            secrets=values,
            variables={
                name: environ[name] for name in manifest.environment if name in environ and name not in manifest.secrets
            },
            samples=samples_of(manifest, folder),
            models=models or own.models,
            start_timeout=manifest.start_timeout or _START_SECONDS,
        )


async def _checkout(source: str, sources: Sources, report: Reporter) -> Checkout:
    said = set[str]()

    def told(message: str, fraction: float | None) -> None:
        if message not in said:  # a line for every percent helps nobody
            said.add(message)
            report(BuildStep(message, fraction or 0.0))

    return await sources.resolve(source, report=told)


async def _environment(
    request: EnvironmentRequest, state: StateFolder, environ: Mapping[str, str], report: Reporter
) -> Environment:
    state.environments.mkdir(parents=True, exist_ok=True, mode=0o700)
    builder = EnvironmentBuilder(state.environments, environ, timeout=_BUILD_SECONDS)
    try:
        return await builder.ensure(request, report)
    finally:
        await builder.aclose()


async def _run(wanted: Check, bench: Bench) -> Outcome:
    started = time.monotonic()
    passed, applicable, skipped = False, True, False
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            detail = await wanted.run(bench)
        passed = True
    except SkippedError as reason:
        skipped, detail = True, f"skipped: {reason}"
    except NotApplicableError as reason:
        passed, applicable, detail = True, False, f"not applicable: {reason}"
    except CheckFailedError as error:
        detail = str(error)
    except grpc.aio.AioRpcError as error:
        failure = Failure.of(error)
        skipped = bool(failure.needs)
        detail = f"a call that should succeed failed: {failure}"
        detail = f"skipped: needs {failure.needs}" if skipped else detail + await bench.death()
    except TimeoutError:
        detail = f"it took longer than {CHECK_SECONDS:g} s"
    detail += "" if passed or skipped else bench.explained(detail)
    seconds = time.monotonic() - started
    advice = "" if passed or skipped else wanted.advice
    return Outcome(wanted.name, passed, detail, seconds, advice=advice, applicable=applicable, skipped=skipped)
