"""``mediaconduit.v1.Broker``: manages providers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import asdict

from google.protobuf.timestamp_pb2 import Timestamp
from mediaconduit import tasks
from mediaconduit.errors import InvalidRequestError, MediaConduitError
from mediaconduit.v1 import broker_pb2

from mediaconduit_broker.changes import Change, Changes
from mediaconduit_broker.environments import BuildStep, EnvironmentRecord
from mediaconduit_broker.registry import Registry
from mediaconduit_broker.runners import LogRecord
from mediaconduit_broker.services.media_provider import capabilities_of, settings_of
from mediaconduit_broker.services.model_changes import model_changes
from mediaconduit_broker.services.names import page_of, provider_id_of
from mediaconduit_broker.supervision import State, Supervisor

_DESCRIBE_SECONDS = 1.0
_STATES = {
    State.INSTALLING: "installing",
    State.STARTING: "starting",
    State.LOADING: "loading",
    State.READY: "ready",
    State.BACKOFF: "waiting to start again",
}


class BrokerService:
    """Translates between the contract and the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends the streams that would never end by themselves; a server that stops waits for its calls."""
        self._stopping.set()

    def _view(self, supervisor: Supervisor) -> broker_pb2.Provider:
        """A provider as the registry knows it, without asking anyone."""
        view = broker_pb2.Provider(
            name=f"providers/{supervisor.spec.provider_id}",
            source=supervisor.spec.checkout.source,
            resolved_source=supervisor.spec.checkout.resolved,
            state=supervisor.state.value,  # type: ignore[arg-type]
            state_reason=supervisor.reason,
            capabilities=capabilities_of(supervisor.last_models) or supervisor.spec.manifest.capabilities,
            model_count=len(supervisor.last_models),
            active_calls=supervisor.active_calls,
            queued_calls=supervisor.queued_calls,
            start_count=supervisor.start_count,
            runner=self._registry.runner_name,
            runtime=supervisor.spec.manifest.runtime,
            call_count=supervisor.call_count,
            queue_count=supervisor.admission.waits,
        )
        view.queue_duration.FromMilliseconds(round(supervisor.admission.waited_seconds * 1000))
        view.state_time.FromNanoseconds(int(supervisor.state_time * 1e9))
        view.serving = supervisor.state is State.READY
        return view

    async def _live_view(self, supervisor: Supervisor) -> broker_pb2.Provider:
        """The same with figures asked for now: memory, health, stuck calls."""
        view = self._view(supervisor)
        instance = supervisor.instance
        if instance is not None:
            view.memory_bytes = await asyncio.to_thread(instance.sidecar.memory_bytes)
            if supervisor.state is State.READY:
                view.serving = await instance.healthy(_DESCRIBE_SECONDS)
                # A sidecar that does not answer is shown as it was; `serving` says the rest.
                await instance.describes_again(_DESCRIBE_SECONDS)
            view.stuck_calls = instance.description.stuck_calls
        return view

    async def load_provider(
        self, request: broker_pb2.LoadProviderRequest
    ) -> AsyncGenerator[broker_pb2.LoadProviderResponse, None]:
        """Steps until it is ready."""
        if not request.source:
            raise InvalidRequestError.at("source", "is empty", hint="name a folder or a bundled provider")
        settings = settings_of(request.settings) if request.HasField("settings") else None
        source, name, frozen = request.source, request.provider_id, request.frozen
        if settings is None and (running := self._registry.running(source, name, frozen=frozen)):
            yield broker_pb2.LoadProviderResponse(provider=self._view(running), message="running", fraction=1.0)
            return

        def meant(supervisor: Supervisor) -> bool:
            return supervisor.spec.checkout.source == source and name in ("", supervisor.spec.provider_id)

        with self._registry.changes(meant) as changes:
            work = tasks.start(
                self._registry.load(
                    source,
                    name,
                    settings,
                    allow_build=request.allow_build,
                    frozen=frozen,
                    report=changes.put_step,
                ),
                name="load a provider",
            )
            async with contextlib.aclosing(self._progress(work, changes, request)) as responses:
                async for response in responses:
                    yield response
        yield broker_pb2.LoadProviderResponse(provider=self._view(work.result()), message="ready", fraction=1.0)

    async def _progress(
        self,
        work: asyncio.Task[Supervisor],
        changes: Changes,
        request: broker_pb2.LoadProviderRequest,
    ) -> AsyncGenerator[broker_pb2.LoadProviderResponse, None]:
        """Steps of the provider that is being loaded. Leaving early ends the wait; what was begun goes on."""
        async with contextlib.aclosing(_news(work, changes)) as news:
            async for change in news:
                if isinstance(change, BuildStep):
                    unknown = broker_pb2.Provider(source=request.source, state=State.INSTALLING.value)  # type: ignore[arg-type]
                    yield broker_pb2.LoadProviderResponse(
                        provider=unknown, message=change.message, fraction=change.fraction
                    )
                    continue
                supervisor, step = change.supervisor, change.step
                if supervisor.state in _STATES:
                    message = step.message if step else _STATES[supervisor.state]
                    response = broker_pb2.LoadProviderResponse(provider=self._view(supervisor), message=message)
                    if step:
                        response.fraction = step.fraction
                        response.log_lines.extend(step.log_lines)
                    yield response

    async def unload_provider(self, request: broker_pb2.UnloadProviderRequest) -> broker_pb2.UnloadProviderResponse:
        """Drains, stops, forgets."""
        drain = request.drain_timeout.ToNanoseconds() / 1e9 if request.HasField("drain_timeout") else None
        await self._registry.unload(provider_id_of(request.name, "name"), drain)
        return broker_pb2.UnloadProviderResponse()

    async def refresh_provider(
        self, request: broker_pb2.RefreshProviderRequest
    ) -> AsyncGenerator[broker_pb2.RefreshProviderResponse, None]:
        """Replaces the sidecar without losing a call."""
        name = provider_id_of(request.name, "name")
        yield broker_pb2.RefreshProviderResponse(
            provider=self._view(await self._registry.find(name)), message="reading the source again"
        )
        steps = Changes()
        work = tasks.start(self._registry.refresh(name, steps.put_step), name=f"refresh {name}")
        async with contextlib.aclosing(_news(work, steps)) as news:
            async for step in news:
                if isinstance(step, BuildStep):
                    old = self._view(self._registry.get(name))
                    yield broker_pb2.RefreshProviderResponse(provider=old, message=step.message, fraction=step.fraction)
        yield broker_pb2.RefreshProviderResponse(provider=self._view(work.result()), message="ready", fraction=1.0)

    async def get_provider(self, request: broker_pb2.GetProviderRequest) -> broker_pb2.GetProviderResponse:
        """One, in detail."""
        supervisor = await self._registry.find(provider_id_of(request.name, "name"))
        answer = broker_pb2.GetProviderResponse(
            provider=await self._live_view(supervisor),
            warnings=[*supervisor.spec.manifest.warnings, *supervisor.credentials.warnings(supervisor.spec.settings)],
            secrets=[
                broker_pb2.ProviderSecret(name=name, present=bool(source), source=source)
                for name, source in supervisor.credentials.sources(supervisor.spec.settings)
            ],
        )
        if supervisor.instance is not None:
            answer.warnings.extend(supervisor.instance.sidecar.warnings)
            answer.isolation = supervisor.instance.sidecar.isolation
            answer.description.CopyFrom(supervisor.instance.description)
        history = self._registry.model_watch.history(supervisor.spec.provider_id)
        answer.model_counters.CopyFrom(broker_pb2.ModelCounters(**asdict(history.counters)))
        answer.model_changes.extend(model_changes(history.since(0)))
        if (record := await asyncio.to_thread(lambda: supervisor.environment)) is not None:
            answer.environment.CopyFrom(_environment(record))
        return answer

    async def list_providers(self, request: broker_pb2.ListProvidersRequest) -> broker_pb2.ListProvidersResponse:
        """All, asked at once."""
        views = await asyncio.gather(*(self._live_view(supervisor) for supervisor in self._registry.all()))
        wanted = [view for view in views if not request.capability or request.capability in view.capabilities]
        page, token = page_of(wanted, request.page_size, request.page_token)
        return broker_pb2.ListProvidersResponse(providers=page, next_page_token=token)

    async def watch_providers(
        self, request: broker_pb2.WatchProvidersRequest
    ) -> AsyncGenerator[broker_pb2.WatchProvidersResponse, None]:
        """What is, then what changes."""
        told: dict[str, int] = {}

        def message(supervisor: Supervisor, *, synced: bool, removed: bool) -> broker_pb2.WatchProvidersResponse:
            name = supervisor.spec.provider_id
            history = self._registry.model_watch.history(name)
            news = history.since(told.get(name, 0))
            told[name] = history.last_number
            if removed:
                del told[name]
            return broker_pb2.WatchProvidersResponse(
                provider=self._view(supervisor), removed=removed, synced=synced, model_changes=model_changes(news)
            )

        with self._registry.changes() as changes:
            for supervisor in self._registry.all():
                yield message(supervisor, synced=False, removed=False)
            yield broker_pb2.WatchProvidersResponse(synced=True)
            while (change := await tasks.unless(self._stopping, changes.get())) is not None:
                yield message(change.supervisor, synced=True, removed=change.removed)

    async def explain_route(self, request: broker_pb2.ExplainRouteRequest) -> broker_pb2.ExplainRouteResponse:
        """Where a request would go."""
        try:
            route = await self._registry.route(request.request.model, request.request.capability)
        except MediaConduitError as error:
            candidate = broker_pb2.RouteCandidate(model=request.request.model, eligible=False, reasons=[str(error)])
        else:
            named = "it was named" if request.request.model else "the first that has the capability"
            candidate = broker_pb2.RouteCandidate(model=route.model, eligible=True, reasons=[named])
        return broker_pb2.ExplainRouteResponse(candidates=[candidate])

    async def tail_logs(self, request: broker_pb2.TailLogsRequest) -> AsyncGenerator[broker_pb2.TailLogsResponse, None]:
        """Lines kept, then new ones; or the log of the last build."""
        supervisor = await self._registry.find(provider_id_of(request.name, "name"))
        if request.build:
            yield await asyncio.to_thread(_build_log, supervisor, request.lines)
            return
        logs = supervisor.logs
        last = logs.last_number
        if kept := logs.tail(request.lines):
            yield broker_pb2.TailLogsResponse(lines=[_line(record) for record in kept])
        if request.follow:
            following = logs.follow(last)
            while (news := await tasks.unless(self._stopping, anext(following))) is not None:
                records, lost = news
                yield broker_pb2.TailLogsResponse(lines=[_line(record) for record in records], dropped=lost)


async def _news(work: asyncio.Task[Supervisor], changes: Changes) -> AsyncGenerator[Change | BuildStep, None]:
    """What comes while work is done. Ends with it; leaving early ends it."""
    try:
        while not work.done():
            news = tasks.start(changes.get_any(), name="next change")
            try:
                await asyncio.wait({news, work}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await tasks.cancel_and_join(news)
            if not news.cancelled():
                yield news.result()
    finally:
        await tasks.cancel_and_join(work)


def _line(record: LogRecord) -> broker_pb2.LogLine:
    time = Timestamp()
    time.FromNanoseconds(int(record.time * 1e9))
    return broker_pb2.LogLine(time=time, level=record.level, text=record.text)


def _build_log(supervisor: Supervisor, lines: int) -> broker_pb2.TailLogsResponse:
    response = broker_pb2.TailLogsResponse()
    if (log := supervisor.build_log()) is not None:
        written, text = log
        kept = text.splitlines()[-lines:] if lines > 0 else []
        response.lines.extend(_line(LogRecord(number, written, "info", line)) for number, line in enumerate(kept))
    return response


def _environment(record: EnvironmentRecord) -> broker_pb2.Environment:
    environment = broker_pb2.Environment(
        key=record.key,
        size_bytes=record.size_bytes,
        interpreter=record.interpreter,
        packages=record.packages,
        rebuild_reason=record.rebuild_reason,
    )
    environment.build_time.FromNanoseconds(int(record.build_time * 1e9))
    environment.build_duration.FromNanoseconds(int(record.build_seconds * 1e9))
    return environment
