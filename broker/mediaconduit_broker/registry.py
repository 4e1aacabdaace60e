"""Which providers there are: loads, replaces and unloads their supervisors, and keeps what routing needs."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from mediaconduit import tasks
from mediaconduit.errors import InvalidRequestError, MediaConduitError, NotFoundError, PreconditionError

from mediaconduit_broker.changes import Change, Changes, Report
from mediaconduit_broker.config import Config
from mediaconduit_broker.environments import BuildStep, EnvironmentBuilder
from mediaconduit_broker.memory import Memory
from mediaconduit_broker.model_watch import ModelStore, ModelWatch
from mediaconduit_broker.restoring import Restoring, named
from mediaconduit_broker.routing import ModelView, ProviderView, Route, Snapshot, provider_not_found, resolve
from mediaconduit_broker.runners import Runner
from mediaconduit_broker.secrets import SecretStore
from mediaconduit_broker.sources import Sources
from mediaconduit_broker.specs import Specs
from mediaconduit_broker.state import KnownProvider, StateFolder
from mediaconduit_broker.supervision import Looks, Monitor, Pace, ProviderSpec, State, Supervisor
from mediaconduit_broker.trust import Gate, loaded_unlocked
from mediaconduit_broker.turns import Turns

_log = structlog.get_logger(__name__)

_LONGEST_TURN: Final = 3.0
"""Seconds that a start keeps others waiting; one that takes longer waits for a model, a network, a card."""


class Registry:
    """Owns all supervisors.

    Args:
        config: What the operator wants.
        state: Remembers providers that were added.
        gate: Says whose code may run, and which of it.
        builder: Makes environments.
        runner: Starts processes.
        environ: The broker's own variables, of which providers get those their manifests name.
        sources: Finds and fetches code.
        secrets: Where providers' keys come from.
    """

    def __init__(
        self,
        config: Config,
        state: StateFolder,
        gate: Gate,
        builder: EnvironmentBuilder,
        runner: Runner,
        environ: Mapping[str, str],
        sources: Sources,
        secrets: SecretStore,
    ) -> None:
        self._config = config
        self._memory = Memory(config, state)
        self._gate = gate
        self._builder = builder
        self._runner = runner
        self._sources = sources
        self._specs = Specs(config, gate, environ, sources, secrets)
        self._supervisors: dict[str, Supervisor] = {}
        self._starts = Turns(config.limits.starts_at_once, longest=_LONGEST_TURN)
        self._loading: dict[str, asyncio.Lock] = {}
        self._restoring = Restoring()
        self._owner = tasks.TaskOwner()
        self._watchers: set[Changes] = set()
        self._snapshot: Snapshot | None = None
        self.model_watch = ModelWatch(ModelStore(state.models), self._models_changed)
        """What is new about the models of each provider."""
        self._looks = Looks(self.all, self.list_models, config.limits.check_models)

    @property
    def runner_name(self) -> str:
        """The backend in use."""
        return self._runner.name

    def start(self) -> None:
        """Begins to watch, and to load what the config names and what was added before; none waits for another."""
        limits = self._config.limits
        pace = Pace(idle=limits.check_idle, busy=limits.check_busy, stuck=limits.stuck_timeout)
        self._owner.start(Monitor(self.all, pace, limits.memory_bytes).run(), name="monitor")
        self._owner.start(self._collect(), name="collect old versions")
        self._owner.start(self.model_watch.run(), name="compare models")
        self._owner.start(self._looks.run(), name="look for new models")
        for known in self._memory.wanted():
            name = known.provider_id
            load = self._owner.start(self._load_quietly(known), name=f"load {name}")
            self._restoring.begin(name, load, self._specs.start_timeout(name))

    async def aclose(self) -> None:
        """Stops everything."""
        await self._owner.aclose()
        async with asyncio.TaskGroup() as group:
            for supervisor in self._supervisors.values():
                group.create_task(supervisor.aclose())
        self._supervisors.clear()
        await self._builder.aclose()

    def snapshot(self) -> Snapshot:
        """For routing; made anew after a change."""
        if self._snapshot is None:
            providers = {name: _view(supervisor) for name, supervisor in self._supervisors.items()}
            self._snapshot = Snapshot(providers, self._config.aliases)
        return self._snapshot

    def all(self) -> list[Supervisor]:
        """In order of name."""
        return [self._supervisors[name] for name in sorted(self._supervisors)]

    def get(self, provider_id: str) -> Supervisor:
        """One of them.

        Raises:
            NotFoundError: PROVIDER_NOT_FOUND with the nearest names.
        """
        supervisor = self._supervisors.get(provider_id)
        if supervisor is None:
            raise provider_not_found(provider_id, difflib.get_close_matches(provider_id, self._supervisors, n=3))
        return supervisor

    async def find(self, provider_id: str) -> Supervisor:
        """The same; one that comes back with the broker is waited for.

        Raises:
            NotFoundError: As `get`.
            UnavailableError: It takes too long to come back, or did not.
        """
        if provider_id not in self._supervisors:
            await self._restoring.wait_for(provider_id)
        return self.get(provider_id)

    async def route(self, model: str, capability: str = "") -> Route:
        """Where a request goes (`routing.resolve`); what comes back with the broker is waited for.

        Raises:
            MediaConduitError: As `resolve` and `find`.
        """
        for provider_id in named(model, self._config.aliases):
            if provider_id not in self._supervisors:
                await self._restoring.wait_for(provider_id)
        while True:
            try:
                return resolve(self.snapshot(), model, capability)
            except (NotFoundError, PreconditionError):
                # Which models they have is known once they are ready; a full name says whose it is.
                limit = self._config.limits.start_timeout
                if model.startswith("providers/") or not await self._restoring.wait_for_any(limit):
                    raise

    @property
    def restoring(self) -> list[str]:
        """Those of before that nothing is known of yet, or that failed before anything was."""
        return [name for name in self._restoring.names if name not in self._supervisors]

    def running(self, source: str, provider_id: str, *, frozen: bool = False) -> Supervisor | None:
        """The READY one loaded from this source under this name (any, when empty): known without any work.

        With `frozen` one that is held to the lock.
        """
        for supervisor in self._supervisors.values():
            spec = supervisor.spec
            if spec.checkout.source == source and provider_id in ("", spec.provider_id):
                return supervisor if supervisor.state is State.READY and (spec.frozen or not frozen) else None
        return None

    async def load(
        self,
        source: str,
        provider_id: str = "",
        settings: Mapping[str, Any] | None = None,
        *,
        pinned: str = "",
        allow_build: bool = False,
        frozen: bool = False,
        by_operator: bool = False,
        report: Report = lambda step: None,
    ) -> Supervisor:
        """Loads a provider and waits until it is ready. Concurrent loads of one name do the work once.

        Args:
            source: Where its code is.
            provider_id: Its name; empty = the manifest's.
            settings: In force before its first call; None = as before.
            pinned: The version wanted, as `Checkout.resolved`; empty = what the source means now.
            allow_build: Its build commands may run.
            frozen: Refuse what the lock does not hold.
            by_operator: The configuration names it, or the operator added it before; not a caller's wish.
            report: Told of the steps before there is a supervisor that could tell.

        Raises:
            MediaConduitError: Why it is not.
        """
        if settings is None and (running := self.running(source, provider_id, frozen=frozen)):
            return running
        admission = await asyncio.to_thread(
            self._gate.admit, source, provider_id, by_operator=by_operator, frozen=frozen
        )
        spec = await self._specs.make(
            admission, provider_id, settings, pinned=pinned, allow_build=allow_build, report=report
        )
        async with self._loading.setdefault(spec.provider_id, asyncio.Lock()):
            supervisor = self._supervisors.get(spec.provider_id)
            if supervisor is not None and not _same_source(supervisor.spec, spec):
                raise InvalidRequestError.at(
                    "provider_id",
                    f"{spec.provider_id!r} is already loaded from another source",
                    hint=f"give this one another name, or `mediaconduit provider rm {spec.provider_id}` first",
                )
            if supervisor is None:
                supervisor = self._add(spec)
            elif supervisor.state in (State.FAILED, State.STOPPED):
                # The repository may have been mended since.
                supervisor.spec = replace(spec, settings=spec.settings if settings else supervisor.spec.settings)
            elif spec.frozen and not supervisor.spec.frozen:
                raise loaded_unlocked(spec.provider_id, source)
            elif settings is not None:
                await supervisor.configure(settings)
            await supervisor.ready(explicit=True)
            # Only what has worked once comes back with the broker.
            self._memory.keep(supervisor)
        return supervisor

    async def refresh(self, provider_id: str, report: Report = lambda step: None) -> Supervisor:
        """Reads the source again and replaces the sidecar: the new one starts, calls shift, the old one drains.

        Args:
            provider_id: Whose.
            report: Told of the steps of the new one. Watchers are not: to them the provider is the one that serves.

        Raises:
            MediaConduitError: The new one does not come up; the old one stays.
        """
        old = await self.find(provider_id)
        async with self._loading.setdefault(provider_id, asyncio.Lock()):
            source, frozen = old.spec.checkout.source, old.spec.frozen
            admission = await asyncio.to_thread(self._gate.admit, source, provider_id, by_operator=True, frozen=frozen)
            settings, may_build = old.spec.settings, old.spec.permissions.build
            spec = await self._specs.make(admission, provider_id, settings, allow_build=may_build, report=report)

            def changed(supervisor: Supervisor, step: BuildStep | None) -> None:
                self._changed(supervisor, step)
                if step is not None:
                    report(step)

            new = Supervisor(spec, self._builder, self._runner, changed, self._starts, old.logs)
            new.call_count, new.start_count = old.call_count, old.start_count
            try:
                await new.ready(explicit=True)
            except BaseException:
                await new.aclose(drain=False)
                raise
            self._supervisors[provider_id] = new
            self._memory.keep(new)
            self._changed(new, None)
            self._owner.start(old.aclose(), name=f"drain {provider_id}")
            self._owner.start(self._collect(), name="collect old versions")
        return new

    async def list_models(self, supervisor: Supervisor, *, refresh: bool = False) -> None:
        """Asks a provider that runs for its models; from here on routing, lists and watchers have them.

        Args:
            supervisor: Whose. One that does not run keeps those it had.
            refresh: Its vendor is asked, not its cache.

        Raises:
            MediaConduitError: It cannot tell; those it had stay.
        """
        if supervisor.instance is None:
            return
        models = tuple(await supervisor.instance.list_models(refresh=refresh))
        if models != supervisor.last_models:
            supervisor.last_models = models
            self._changed(supervisor, None)
        else:
            self._show_models(supervisor)

    async def configure(self, provider_id: str, settings: Mapping[str, Any]) -> None:
        """Puts settings in force and remembers them.

        Raises:
            MediaConduitError: The provider refuses them.
        """
        supervisor = await self.find(provider_id)
        await supervisor.configure(settings)
        self._memory.keep(supervisor)

    async def unload(self, provider_id: str, drain_timeout: float | None = None) -> None:
        """Drains, stops and forgets a provider."""
        if self._restoring.forget(provider_id):
            self._memory.forget(provider_id)
            return
        supervisor = await self.find(provider_id)
        if drain_timeout is not None:
            supervisor.spec = replace(supervisor.spec, drain_timeout=drain_timeout)
        del self._supervisors[provider_id]
        self._snapshot = None
        self._loading.pop(provider_id, None)
        self._memory.forget(provider_id)
        self.model_watch.forget(provider_id)
        await supervisor.aclose()
        await asyncio.to_thread(self._runner.forget, provider_id)
        for watcher in tuple(self._watchers):
            watcher.put(Change(supervisor, None, removed=True))

    @contextlib.contextmanager
    def changes(self, wanted: Callable[[Supervisor], bool] | None = None) -> Iterator[Changes]:
        """Every change from here on, or those of the providers that are wanted."""
        changes = Changes(wanted)
        self._watchers.add(changes)
        try:
            yield changes
        finally:
            self._watchers.discard(changes)

    def _add(self, spec: ProviderSpec) -> Supervisor:
        supervisor = Supervisor(spec, self._builder, self._runner, self._changed, self._starts)
        self._supervisors[spec.provider_id] = supervisor
        self._snapshot = None
        self._restoring.known(spec.provider_id)
        return supervisor

    def _changed(self, supervisor: Supervisor, step: BuildStep | None) -> None:
        if self._supervisors.get(supervisor.spec.provider_id, supervisor) is not supervisor:
            return  # one that a refresh begins or has replaced: the provider is another; one that is removed says so
        if step is None:
            self._snapshot = None
            self._show_models(supervisor)
            self._looks.wake()
        change = Change(supervisor, step)
        for watcher in tuple(self._watchers):
            watcher.put(change)

    def _show_models(self, supervisor: Supervisor) -> None:
        current = self._supervisors.get(supervisor.spec.provider_id) is supervisor
        if current and supervisor.instance is not None and not supervisor.instance.provisional:
            self.model_watch.show(supervisor.spec.provider_id, supervisor.last_models)

    def _models_changed(self, provider_id: str) -> None:
        if (supervisor := self._supervisors.get(provider_id)) is not None:
            for watcher in tuple(self._watchers):
                watcher.put(Change(supervisor, None))

    async def _load_quietly(self, known: KnownProvider) -> None:
        try:
            await self.load(
                known.source,
                known.provider_id,
                known.settings,
                pinned=known.pinned,
                allow_build=known.allow_build,
                frozen=known.frozen,
                by_operator=True,
            )
        except MediaConduitError as error:
            if known.provider_id in self._supervisors:
                return  # its state says so, and whoever watches states has heard
            self._restoring.failed(known.provider_id, error)
            _log.error("provider not loaded", provider=known.provider_id, why=error.message, hint=error.hint)

    async def _collect(self) -> None:
        keep = {supervisor.spec.checkout.resolved for supervisor in self._supervisors.values()}
        keep |= {known.pinned for known in self._memory.known()}
        keep |= await asyncio.to_thread(self._gate.locked_versions)
        await asyncio.to_thread(self._sources.collect, keep)


def _view(supervisor: Supervisor) -> ProviderView:
    views = tuple(ModelView(m.name.split("/", 3)[-1], frozenset(m.capabilities)) for m in supervisor.last_models)
    return ProviderView(supervisor.spec.provider_id, views, supervisor.state is not State.FAILED)


def _same_source(one: ProviderSpec, other: ProviderSpec) -> bool:
    """Whether a load means what is loaded already, if perhaps at a commit of before."""
    return one.checkout.source == other.checkout.source or one.checkout.folder == other.checkout.folder
