"""Executes what `lifecycle` decides, for one provider."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from mediaconduit import tasks
from mediaconduit.errors import MediaConduitError, Reason, UnavailableError
from mediaconduit.v1 import models_pb2

from mediaconduit_broker.environments import BuildStep, Environment, EnvironmentBuilder, EnvironmentRecord
from mediaconduit_broker.runners import Exit, LogBuffer, Runner
from mediaconduit_broker.supervision import failures, lifecycle
from mediaconduit_broker.supervision.admission import Admission
from mediaconduit_broker.supervision.instance import Instance, translated
from mediaconduit_broker.supervision.lifecycle import Lifecycle, State
from mediaconduit_broker.supervision.spec import ProviderSpec
from mediaconduit_broker.supervision.waiters import Waiters
from mediaconduit_broker.turns import Turns

_LAST_LINES: Final = 12
_LOADING_SECONDS: Final = 1.0
"""Between two questions how far a provider that loads is: there is no event for it."""

_log = structlog.get_logger(__name__)

Watcher = Callable[["Supervisor", BuildStep | None], None]


class Supervisor:
    """Owns one provider: at most one sidecar, its environment, its log. `aclose` ends all of it.

    Args:
        spec: What to run.
        builder: Makes its environment.
        runner: Starts its process.
        on_change: Called after every change of state and every step of a build.
        turns: Of all providers that start: how many at a time.
        logs: Of the one it replaces, to be continued.
    """

    def __init__(
        self,
        spec: ProviderSpec,
        builder: EnvironmentBuilder,
        runner: Runner,
        on_change: Watcher,
        turns: Turns,
        logs: LogBuffer | None = None,
    ) -> None:
        self.spec = spec
        self.logs = logs or LogBuffer()
        self.credentials = self.spec.credentials(self.logs.redactor)
        """What it was given at its last start."""
        self.settings_schema = ""
        """As last described, also while it does not run."""
        self.instance: Instance | None = None
        self.last_models: tuple[models_pb2.Model, ...] = ()
        """As last listed, also while it does not run."""
        self.start_count = 0
        self.call_count = 0
        self.admission = Admission(spec.queue_length)
        self.state_time = time.time()
        self.error: MediaConduitError | None = None
        """Why it is not ready, when it is not."""
        self._lifecycle = Lifecycle()
        self._builder = builder
        self._runner = runner
        self._on_change = on_change
        self._owner = tasks.TaskOwner()
        self._work: asyncio.Task[None] | None = None
        self._waiters = Waiters()
        self._turns = turns
        self._step = ""
        """What it is doing or waiting for on its way to READY."""
        self._environment: Environment | None = None
        self._killed_for = ""
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._lifecycle.state

    @property
    def reason(self) -> str:
        """Why, for FAILED and BACKOFF; what it is doing or waiting for, on its way to READY."""
        return self._lifecycle.reason or self._step

    @property
    def environment(self) -> EnvironmentRecord | None:
        """Its environment, once built."""
        return self._environment.record if self._environment is not None else None

    @property
    def active_calls(self) -> int:
        """Calls that have a place."""
        return self.admission.active

    @property
    def queued_calls(self) -> int:
        """Calls that wait: for a place, or for the sidecar to start."""
        return self.admission.queued + len(self._waiters)

    @property
    def idle_since(self) -> float | None:
        """Monotonic time since when nobody has needed it; None while somebody does, or it does not run."""
        if self.state is not State.READY or self.instance is None or self.active_calls or self.queued_calls:
            return None
        return max(self.admission.last_left, self.instance.ready_since or 0.0)

    def build_log(self) -> tuple[float, str] | None:
        """When its last build wrote its log, in seconds since the epoch, and the log; None when there was none."""
        return self._builder.journal.last_log(self.spec.provider_id)

    async def ready(self, *, explicit: bool = False) -> Instance:
        """A sidecar that takes calls, started when there is none.

        Raises:
            MediaConduitError: Why there will not be one.
        """
        if self.state is State.READY and self.instance is not None:
            if self.instance.sidecar.alive():
                return self.instance
            # It has just died, and its exit is about to be noticed: this call need not meet a dead socket.
            await self.instance.sidecar.wait()
        waiter = self._waiters.add(explicit=explicit)
        self._handle(lifecycle.Wanted(explicit=explicit))
        await self._waiters.wait(waiter)
        assert self.instance is not None
        return self.instance

    async def configure(self, settings: Mapping[str, Any]) -> None:
        """Puts settings in force, now and at every start. A running sidecar judges them first.

        Raises:
            MediaConduitError: It refuses them; the old ones stay.
        """
        if self.instance is not None and self.state is State.READY:
            await self._configure(self.instance, settings)
            self.spec = replace(self.spec, settings=dict(settings))
            self.last_models = tuple(await self.instance.list_models())
            self._on_change(self, None)
        else:
            before, self.spec = self.spec, replace(self.spec, settings=dict(settings))
            try:
                await self.ready(explicit=True)
            except MediaConduitError:
                self.spec = replace(self.spec, settings=before.settings)
                raise

    async def aclose(self, *, drain: bool = True) -> None:
        """Stops the sidecar, after its calls where `drain` says so, and frees everything."""
        try:
            if drain and self.active_calls:
                await self._drained()
            self._handle(lifecycle.Unwanted())
            await self._owner.join()
        finally:
            self._release_environment()

    async def _drained(self) -> None:
        self._idle.clear()
        try:
            async with asyncio.timeout(self.spec.drain_timeout):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("calls cut short", provider=self.spec.provider_id, calls=self.active_calls)

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[Instance]:
        """A sidecar that takes calls and a place in it; waits for both.

        Raises:
            MediaConduitError: There is none, or too many wait already.
        """
        instance = await self.ready()
        if (missing := self.credentials.missing(self.spec.settings)) is not None:
            raise missing
        await self.admission.enter(instance.description.max_concurrency)
        try:
            # While this call waited for its place the sidecar may have been replaced.
            instance = await self.ready()
            self.call_count += 1
            yield instance
        finally:
            self.admission.leave()
            if not self.active_calls:
                self._idle.set()

    def unhealthy(self, reason: str) -> None:
        """Replaces a sidecar that runs and is of no use."""
        _log.warning("unhealthy", provider=self.spec.provider_id, why=reason)
        self._killed_for = reason
        self._handle(lifecycle.Unhealthy(reason))

    def rest(self) -> None:
        """Stops a sidecar that nobody needs; the next call starts it."""
        self._handle(lifecycle.Idle())

    def _handle(self, event: lifecycle.Event) -> None:
        before = self._lifecycle
        self._lifecycle, actions = lifecycle.transition(before, event)
        if self._lifecycle.state is not before.state:
            self.state_time, self._step = time.time(), ""
            _log.debug("state", provider=self.spec.provider_id, state=self._lifecycle.state.name, why=self.reason)
            self._on_change(self, None)
        for action in actions:
            self._execute(action)

    def _execute(self, action: lifecycle.Action) -> None:
        name = self.spec.provider_id
        match action:
            case lifecycle.Install():
                self._work = self._owner.start(self._install(), name=f"install {name}")
            case lifecycle.Spawn():
                self._work = self._owner.start(self._bring_up(), name=f"start {name}")
            case lifecycle.Wait():
                # Jitter keeps many providers that failed together from starting together.
                seconds = action.seconds * random.uniform(0.8, 1.2)  # noqa: S311
                self._work = self._owner.start(self._wait(seconds), name=f"back-off {name}")
            case lifecycle.Kill():
                if self.instance is not None:
                    self.instance.sidecar.kill()
            case lifecycle.Stop():
                self._owner.start(self._stop(self._work, self.instance), name=f"stop {name}")
                self.instance = None
            case lifecycle.Release():
                self._waiters.resolve()
            case lifecycle.Fail():
                self._waiters.resolve(self.error or failures.not_ready(name, self.state, self.reason))

    async def _install(self) -> None:
        try:
            wanted = self.spec.environment()
            environment = await self._builder.ensure(wanted, self._report, urgent=self._waiters.calls)
        except MediaConduitError as error:
            self.error = error
            self._handle(lifecycle.InstallFailed(error.message))
        else:
            self._release_environment()
            self._environment = environment
            self._handle(lifecycle.Installed())

    def _release_environment(self) -> None:
        if self._environment is not None:
            self._environment.release()

    def _report(self, step: BuildStep) -> None:
        self._step = step.message
        self._on_change(self, step)

    def _queued(self, before: int) -> None:
        self._report(BuildStep(f"waiting to start, {before} before it", 0.0))

    async def _bring_up(self) -> None:
        """Spawns when it is its turn, waits until it serves, then until it ends."""
        self.error = None
        with await self._turns.take(urgent=self._waiters.calls, told=self._queued) as turn:
            instance = await self._spawn()
            if instance is None:
                return
            try:
                if await self._until_serving(instance):
                    turn.end()
                    await instance.sidecar.wait()
            finally:
                # Whoever stops a running one has taken `self.instance` and ends it.
                if (exit_ := instance.sidecar.exit) is not None:
                    self._ended(instance, exit_)
                    await tasks.shielded(instance.aclose(0), timeout=5, name=f"clean up {self.spec.provider_id}")

    async def _spawn(self) -> Instance | None:
        """A process that is starting; None when it could not be started, which has been handled."""
        nonce = secrets.token_hex(16)
        self.credentials = self.spec.credentials(self.logs.redactor)
        try:
            assert self._environment is not None
            launch = self.spec.launch(self._environment, self.credentials, nonce)
            sidecar = await self._runner.start(launch, self.logs)
        except MediaConduitError as error:
            self._refuse(error)
            return None
        except OSError as error:
            self._refuse(UnavailableError(f"the process could not be started: {error.strerror}"))
            return None
        self.start_count += 1
        self.instance = Instance(sidecar, sidecar.instance)
        return self.instance

    async def _until_serving(self, instance: Instance) -> bool:
        """True when it serves; False when that has failed and been handled, or the process has ended."""
        ended = tasks.start(instance.sidecar.wait(), name="exit before ready")
        steps = tasks.start(self._steps(instance), name="steps to ready")
        try:
            await self._wait_for(instance, ended, steps)
        finally:
            await tasks.cancel_and_join(ended, steps)
        if instance.sidecar.exit is not None:
            return False
        if steps.cancelled():
            self._time_out()
        elif (failure := steps.exception()) is not None:
            # A connection that broke is the process ending: its exit tells more.
            error = translated(failure)
            if error is None:
                raise failure
            if error.reason is Reason.UNSPECIFIED and await instance.ended(1.0) is not None:
                return False
            self._refuse(error)
        else:
            self._handle(lifecycle.Serving())
            return True
        return False

    async def _wait_for(self, instance: Instance, *either: asyncio.Task[Any]) -> None:
        """Until one of the tasks has ended or time is up; progress that the provider reports gives it more."""
        seen, deadline = None, time.monotonic() + self.spec.start_timeout
        while (left := deadline - time.monotonic()) > 0:
            done, _ = await asyncio.wait(
                either, timeout=min(left, _LOADING_SECONDS), return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return
            if self.state is State.LOADING and await instance.describes_again(_LOADING_SECONDS):
                loading = instance.description.loading
                if instance.description.HasField("loading") and loading != seen:
                    seen, deadline = loading, time.monotonic() + self.spec.start_timeout
                    fraction = loading.fraction if loading.HasField("fraction") else 0.0
                    self._report(BuildStep(loading.message or "loading", fraction))

    async def _steps(self, instance: Instance) -> None:
        await self.credentials.look_up(self.spec.settings)  # while the process starts
        await instance.describe()
        self._handle(lifecycle.Answered())
        if self.credentials.names:
            # Its code runs from here on; before, it had no settings to describe.
            await instance.configure(None, self.credentials.given())
            await instance.describe()
        self.settings_schema = instance.description.settings_schema
        if self.spec.settings:
            await self._configure(instance, self.spec.settings)
        instance.sidecar.configured()
        await instance.serving()
        self.last_models = tuple(await instance.list_models())

    async def _configure(self, instance: Instance, settings: Mapping[str, Any]) -> None:
        complete = await self.credentials.complete(settings, self.settings_schema)
        try:
            await instance.configure(complete, self.credentials.given())
        except MediaConduitError as error:
            raise self.credentials.clean(error) from None

    def _ended(self, instance: Instance, exit_: Exit) -> None:
        if self.instance is instance:
            self.instance = None
        if self.state is State.DRAINING:
            self._handle(lifecycle.Gone())
            return
        lines = "\n".join(record.text for record in self.logs.tail(_LAST_LINES))
        self.logs.append(f"the sidecar {exit_}", "warning")
        name = self.spec.provider_id
        if loads := exit_.code in lifecycle.HOPELESS_CODES:
            self.error = self.credentials.missing(self.spec.settings) or failures.not_loading(name, lines)
        else:
            self.error = failures.ended_early(name, exit_, self.state)
        reason = self.error.message if loads else self._killed_for or f"the sidecar {exit_}"
        self._killed_for = ""
        self._handle(lifecycle.Exited(reason, exit_.code, instance.uptime))

    def _time_out(self) -> None:
        self.error = failures.too_slow(self.spec.provider_id, self.spec.start_timeout, self.state)
        self._handle(lifecycle.TimedOut(self.error.message))

    def _refuse(self, error: MediaConduitError) -> None:
        self.error = self.credentials.clean(error)
        self._handle(lifecycle.Refused(self.error.message))

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._handle(lifecycle.BackoffElapsed())

    async def _stop(self, work: asyncio.Task[None] | None, instance: Instance | None) -> None:
        try:
            if instance is not None:
                await instance.aclose(self.spec.drain_timeout)
            if work is not None and not work.done():
                await tasks.cancel_and_join(work)
        finally:
            self._handle(lifecycle.Gone())
