"""Which providers there are: loads, replaces and unloads their supervisors, and keeps what routing needs."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from mediaconduit import tasks
from mediaconduit.errors import InvalidRequestError, MediaConduitError

from mediaconduit_broker.changes import Change, Changes, Report
from mediaconduit_broker.config import Config
from mediaconduit_broker.environments import BuildStep, EnvironmentBuilder
from mediaconduit_broker.model_watch import ModelStore, ModelWatch
from mediaconduit_broker.routing import ModelView, ProviderView, Snapshot, provider_not_found
from mediaconduit_broker.runners import Runner
from mediaconduit_broker.secrets import SecretStore
from mediaconduit_broker.sources import Sources, catalog
from mediaconduit_broker.specs import Specs
from mediaconduit_broker.state import KnownProvider, StateFolder
from mediaconduit_broker.supervision import Looks, Monitor, Pace, ProviderSpec, State, Supervisor, lasting_settings
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
        self._state = state
        self._gate = gate
        self._builder = builder
        self._runner = runner
        self._sources = sources
        self._specs = Specs(config, gate, environ, sources, secrets)
        self._supervisors: dict[str, Supervisor] = {}
        self._starts = Turns(config.limits.starts_at_once, longest=_LONGEST_TURN)
        self._loading: dict[str, asyncio.Lock] = {}
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
        wanted = {known.provider_id: known for known in self._state.known_providers()}
        for provider_id, provider in self._config.providers.items():
            before = wanted.get(provider_id)
            pinned = before.pinned if before and before.source == provider.source else ""
            wanted[provider_id] = KnownProvider(provider_id, provider.source, provider.settings, pinned)
        limits = self._config.limits
        pace = Pace(idle=limits.check_idle, busy=limits.check_busy, stuck=limits.stuck_timeout)
        self._owner.start(Monitor(self.all, pace, limits.memory_bytes).run(), name="monitor")
        self._owner.start(self._collect(), name="collect old versions")
        self._owner.start(self.model_watch.run(), name="compare models")
        self._owner.start(self._looks.run(), name="look for new models")
        for known in wanted.values():
            if known.withheld:
                _tell_withheld("secret settings must be set again", known.provider_id, known.withheld)
            self._owner.start(self._load_quietly(known), name=f"load {known.provider_id}")

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
            self._remember(supervisor)
        return supervisor

    async def refresh(self, provider_id: str, report: Report = lambda step: None) -> Supervisor:
        """Reads the source again and replaces the sidecar: the new one starts, calls shift, the old one drains.

        Args:
            provider_id: Whose.
            report: Told of the steps of the new one. Watchers are not: to them the provider is the one that serves.

        Raises:
            MediaConduitError: The new one does not come up; the old one stays.
        """
        old = self.get(provider_id)
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
            self._remember(new)
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
        supervisor = self.get(provider_id)
        await supervisor.configure(settings)
        self._remember(supervisor)

    async def unload(self, provider_id: str, drain_timeout: float | None = None) -> None:
        """Drains, stops and forgets a provider."""
        supervisor = self.get(provider_id)
        if drain_timeout is not None:
            supervisor.spec = replace(supervisor.spec, drain_timeout=drain_timeout)
        del self._supervisors[provider_id]
        self._snapshot = None
        self._loading.pop(provider_id, None)
        self._state.forget(provider_id)
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
            _log.error("provider not loaded", provider=known.provider_id, why=error.message, hint=error.hint)

    async def _collect(self) -> None:
        keep = {supervisor.spec.checkout.resolved for supervisor in self._supervisors.values()}
        keep |= {known.pinned for known in self._state.known_providers()}
        keep |= await asyncio.to_thread(self._gate.locked_versions)
        await asyncio.to_thread(self._sources.collect, keep)

    def _remember(self, supervisor: Supervisor) -> None:
        spec = supervisor.spec
        settings, withheld = lasting_settings(spec.settings, supervisor.settings_schema)
        if withheld and spec.provider_id not in self._config.providers:
            _tell_withheld("secret settings are kept until the broker stops", spec.provider_id, withheld)
        # Its very version, so that a restart needs no network and changes nothing: only a load or a refresh does.
        self._state.remember(
            KnownProvider(
                spec.provider_id,
                _lasting(spec),
                settings,
                spec.checkout.resolved,
                withheld,
                allow_build=self._granted(spec),
                frozen=spec.frozen and not self._config.trust.frozen,
            )
        )

    def _granted(self, spec: ProviderSpec) -> bool:
        """Whether it may build because a load said so; what the configuration says is not remembered."""
        configured = self._config.providers.get(spec.provider_id)
        return spec.permissions.build and not (configured is not None and configured.allow_build)


def _tell_withheld(what: str, provider_id: str, names: Sequence[str]) -> None:
    hint = "put them into the secret store and set e.g. secret:NAME, which stands for them"
    _log.warning(what, provider=provider_id, settings=", ".join(names), hint=hint)


def _view(supervisor: Supervisor) -> ProviderView:
    views = tuple(ModelView(m.name.split("/", 3)[-1], frozenset(m.capabilities)) for m in supervisor.last_models)
    return ProviderView(supervisor.spec.provider_id, views, supervisor.state is not State.FAILED)


def _lasting(spec: ProviderSpec) -> str:
    """The source in a form that means the same wherever the broker is started."""
    here = spec.checkout.resolved.startswith("file:") and spec.checkout.source not in catalog()
    return str(spec.checkout.folder) if here else spec.checkout.source


def _same_source(one: ProviderSpec, other: ProviderSpec) -> bool:
    """Whether a load means what is loaded already, if perhaps at a commit of before."""
    return one.checkout.source == other.checkout.source or one.checkout.folder == other.checkout.folder
