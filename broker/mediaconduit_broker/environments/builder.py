"""Makes environments: aside, then renamed into place, once for all who want the same."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaconduit import tasks

from mediaconduit_broker.environments import collection
from mediaconduit_broker.environments.errors import build_failed, cannot_plan
from mediaconduit_broker.environments.executable import plan_executable
from mediaconduit_broker.environments.journal import BuildJournal
from mediaconduit_broker.environments.lease import Lease
from mediaconduit_broker.environments.node import plan_node
from mediaconduit_broker.environments.plan import BuildStep, EnvironmentPlan, Report
from mediaconduit_broker.environments.python import plan_python
from mediaconduit_broker.environments.record import EnvironmentRecord, size_of
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.tools import Tools, build_environ
from mediaconduit_broker.manifest import Runtime
from mediaconduit_broker.turns import Turns

_PLANNERS = {Runtime.PYTHON: plan_python, Runtime.NODE: plan_node, Runtime.EXEC: plan_executable}


@dataclass(frozen=True, slots=True)
class Environment:
    """A finished environment, held until it is released: none that is held is ever removed."""

    command: tuple[str, ...]
    """What starts the provider."""
    working_folder: Path
    """Where that is started."""
    lease: Lease

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.lease.folder

    @property
    def record(self) -> EnvironmentRecord | None:
        """What is known about it."""
        return EnvironmentRecord.read(self.folder)

    def release(self) -> None:
        """Says that it is no longer needed. Idempotent."""
        self.lease.release()


@dataclass(slots=True)
class _Build:
    """A build under way, and all who wait for it."""

    task: asyncio.Task[None]
    urgent: list[Callable[[], bool]]
    """Of each of them: whether a call waits."""


class EnvironmentBuilder:
    """Owns the folder of environments. Concurrent requests for one key share one build.

    Args:
        root: Where environments live. What is kept of their builds lives beside it, in "builds".
        environ: The broker's own variables; builds get those that say where things are, nothing else.
        timeout: Seconds one build may take.
        cap: Bytes all environments may take; beyond, the least recently used go. 0 = no bound.
        shared: Whether other users are to run what is in them.
        turns: How many build at a time; None = half as many as there are processors.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        timeout: float,
        cap: int = 0,
        shared: bool = False,
        turns: Turns | None = None,
    ) -> None:
        self._root = root
        self._shared = shared
        self._environ = build_environ(environ)
        self._timeout = timeout
        self._cap = cap
        self.journal = BuildJournal.beside(root)
        self._turns = turns or Turns()
        self._running: dict[str, _Build] = {}

    async def clean_up(self) -> None:
        """Removes what interrupted builds left, and what is over the cap. For the start of a broker."""
        await asyncio.to_thread(collection.remove_leftovers, self._root)
        await self._keep_under_cap()

    async def ensure(
        self,
        request: EnvironmentRequest,
        report: Report = lambda step: None,
        *,
        urgent: Callable[[], bool] = lambda: False,
    ) -> Environment:
        """The environment a provider needs, built when it is not there yet.

        A build goes on as long as anybody waits for it.

        Args:
            request: For whom.
            report: Told of its steps, also of those before it in the queue.
            urgent: Asked when it may be its turn: whether it goes before builds that are not.

        Raises:
            PreconditionError: BUILD_FAILED with the step and the last lines of its output, or SOURCE_NOT_TRUSTED;
                nothing half-built stays.
        """
        plan = await self._plan(request)
        folder = self._root / plan.key
        while (lease := self._take(folder)) is None:
            await self._built(plan, folder, report, urgent)
        self.journal.used(plan)
        return Environment(tuple(plan.command(folder)), plan.working_folder(folder), lease)

    async def _built(self, plan: EnvironmentPlan, folder: Path, report: Report, urgent: Callable[[], bool]) -> None:
        build = self._running.get(plan.key)
        if build is None:
            build = self._running[plan.key] = self._begun(plan, folder, report)
        build.urgent.append(urgent)
        try:
            await asyncio.shield(build.task)
        finally:
            build.urgent.remove(urgent)
            if not build.urgent:
                self._forget(plan.key, build)
                await tasks.cancel_and_join(build.task)

    def _begun(self, plan: EnvironmentPlan, folder: Path, report: Report) -> _Build:
        waiters: list[Callable[[], bool]] = []
        task = tasks.start(self._build_in_turn(plan, folder, report, waiters), name=f"build {plan.key}")
        build = _Build(task, waiters)
        task.add_done_callback(lambda _: self._forget(plan.key, build))
        return build

    def _forget(self, key: str, build: _Build) -> None:
        """Nobody joins it from here on."""
        if self._running.get(key) is build:
            del self._running[key]

    async def aclose(self) -> None:
        """Ends running builds."""
        await tasks.cancel_and_join(*(build.task for build in self._running.values()))

    async def _plan(self, request: EnvironmentRequest) -> EnvironmentPlan:
        planner = _PLANNERS.get(request.manifest.runtime)
        if planner is None:
            raise cannot_plan(
                f"runtime {request.manifest.runtime} is not available yet",
                hint=f"this version runs {' and '.join(sorted(_PLANNERS))}",
            )
        return await planner(request, Tools(self._environ, shared=self._shared))

    def _take(self, folder: Path) -> Lease | None:
        if EnvironmentRecord.read(folder) is None:
            return None
        lease = Lease.take(folder)
        if lease is not None:
            lease.touch()
        return lease

    async def _build_in_turn(
        self, plan: EnvironmentPlan, folder: Path, report: Report, waiters: Sequence[Callable[[], bool]]
    ) -> None:
        def told(before: int) -> None:
            report(BuildStep(f"waiting to be built, {before} before it", 0.0))

        with await self._turns.take(urgent=lambda: any(urgent() for urgent in waiters), told=told):
            await self._build(plan, folder, report)

    async def _build(self, plan: EnvironmentPlan, final: Path, report: Report) -> None:
        staging = self._root / f".{plan.key}-{uuid.uuid4().hex[:8]}"
        log = self.journal.log(plan)
        started = time.monotonic()
        lease: Lease | None = None
        try:
            staging.mkdir(parents=True)
            # Held while it is built: another broker that cleans up leaves it alone.
            lease = Lease.take(staging, alone=True)
            async with asyncio.timeout(self._timeout):
                made = await plan.make(staging, Tools(self._environ, log.write, shared=self._shared), report)
            record = EnvironmentRecord(
                key=plan.key,
                provider_id=plan.provider_id,
                interpreter=made.interpreter,
                packages=made.packages,
                size_bytes=await asyncio.to_thread(size_of, staging),
                build_time=time.time(),
                build_seconds=time.monotonic() - started,
                rebuild_reason=self.journal.reason(plan),
            )
            record.write(staging)
            await asyncio.to_thread(_publish, staging, final)
        except TimeoutError:
            raise build_failed("install", f"the build took longer than {self._timeout:g} s") from None
        except OSError as error:
            raise build_failed("install", f"the environment could not be written: {error.strerror}") from None
        finally:
            log.close()
            if lease is not None:
                lease.release()
            if staging.exists():
                await tasks.shielded(
                    asyncio.to_thread(collection.remove, staging), timeout=60, name=f"remove {staging.name}"
                )
        await self._keep_under_cap(final)
        report(BuildStep("environment ready", 1.0))

    async def _keep_under_cap(self, newest: Path | None = None) -> None:
        if not self._cap:
            return
        held = Lease.take(newest) if newest is not None else None
        try:
            stored = await asyncio.to_thread(collection.survey, self._root)
            for environment in collection.over_cap(stored, self._cap):
                await asyncio.to_thread(collection.remove, environment.folder)
        finally:
            if held is not None:
                held.release()


def _publish(staging: Path, final: Path) -> None:
    """Moves a finished environment into place. When another process was faster, its own stays: it is the same."""
    while True:
        try:
            staging.rename(final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if EnvironmentRecord.read(final) is not None:
                return
            with contextlib.suppress(FileNotFoundError):
                # Not one of ours, or damaged: it makes room.
                final.rename(final.with_name(f".removed-{uuid.uuid4().hex[:8]}"))
        else:
            return
