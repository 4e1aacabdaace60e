"""The state of a sidecar: its provider, whether it is ready, its calls."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mediaconduit.errors import InvalidRequestError, MediaConduitError, Reason, UnavailableError, UnsupportedError
from mediaconduit.tasks import cancel_and_join, shielded, start
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_provider import threads
from mediaconduit_provider.catalog import Catalog, Entry, ModelError
from mediaconduit_provider.checks import check_request, infer_capability
from mediaconduit_provider.concurrency import Calls
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.credentials import Credentials
from mediaconduit_provider.generations import Generations
from mediaconduit_provider.host_call import HostCall
from mediaconduit_provider.live import LiveCall
from mediaconduit_provider.metadata import CallFacts
from mediaconduit_provider.provider import Provider
from mediaconduit_provider.schemas import Checker
from mediaconduit_provider.transform import Run

_NONE: Final[Mapping[str, str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


class State(enum.Enum):
    """Where a sidecar is in its life."""

    LOADING = "LOADING"
    READY = "READY"
    DRAINING = "DRAINING"


class Host:
    """Runs one provider. Knows nothing of gRPC."""

    def __init__(self, provider: Provider, config: HostConfig, credentials: Credentials | None = None) -> None:
        self.provider = provider
        self.config = config
        self.credentials = credentials or Credentials(config.secrets)
        self.catalog = Catalog(provider, config.provider_id)
        self.calls = Calls(lambda: provider.max_concurrency, stuck_after=config.stuck_after)
        self.generations = Generations()
        self.state = State.LOADING
        self._set_up = asyncio.Event()
        self._configuring = asyncio.Lock()

    # -- life ---------------------------------------------------------------------------------------------------------

    async def setup(self) -> None:
        """Prepares the provider; READY when it returns. What the provider raises is raised."""
        await threads.call(self.provider.setup, name="setup")
        try:
            await self.catalog.list()
        except ModelError:
            raise
        except Exception:
            _log.warning("the provider could not list its models yet", exc_info=True)
        self._set_up.set()
        if self.state is State.LOADING:
            self.state = State.READY

    async def configure(self, settings: Mapping[str, Any] | None, secrets: Mapping[str, str] = _NONE) -> None:
        """Sets variables, checks settings as a whole and hands them to the provider; a failure leaves the old ones.

        Args:
            settings: None = as they were.
            secrets: All variables that are to be set.
        """
        await self._set_up.wait()
        async with self._configuring:
            before = self.provider.settings
            wanted = before if settings is None else settings
            if settings is not None:
                self._check_settings(settings)
            had = self.credentials.put(secrets)
            if settings is None and had == secrets:
                return
            try:
                await threads.call(self.provider.configure, wanted, name="configure")
            except BaseException as error:
                cleaned = self.credentials.clean(error) if isinstance(error, MediaConduitError) else error
                self.provider.settings = before
                self.credentials.put(had)
                if cleaned is error:
                    raise
                raise cleaned from None
        self.catalog.forget()

    def _check_settings(self, settings: Mapping[str, Any]) -> None:
        violations = Checker(self.provider.settings_schema, secret=True).violations(settings, "settings")
        if violations:
            raise InvalidRequestError("the settings are not valid", fields=violations)

    def drain(self) -> None:
        """No more calls from here on."""
        self.state = State.DRAINING

    async def finish(self, grace: float, *, cut_short: asyncio.Event | None = None) -> None:
        """Lets running calls end for `grace` seconds, cancels the rest, and frees what the provider holds.

        `cut_short` ends the grace at once.
        """
        self.drain()
        if self.calls.active and grace > 0:
            await self._wait_for_calls(grace, cut_short)
        await shielded(self._close(), timeout=self.config.close_grace, name="close")

    async def _wait_for_calls(self, grace: float, cut_short: asyncio.Event | None) -> None:
        waits: list[asyncio.Task[Any]] = [start(self.calls.drained(), name="drained")]
        if cut_short is not None:
            waits.append(start(cut_short.wait(), name="cut short"))
        try:
            await asyncio.wait(waits, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_join(*waits)
        if self.calls.active:
            _log.warning("%d calls were still running and are cancelled", self.calls.active)

    async def _close(self) -> None:
        self.calls.cancel_all()
        try:
            async with asyncio.timeout(self.config.close_grace / 2):
                await self.calls.drained()
        except TimeoutError:
            _log.warning("%d calls did not end when cancelled", self.calls.active)
        await threads.call(self.provider.close, name="close")
        self.credentials.put({})

    # -- calls --------------------------------------------------------------------------------------------------------

    def check_ready(self) -> None:
        """Raises `UnavailableError` while loading and draining."""
        if self.state is State.READY:
            return
        draining = self.state is State.DRAINING
        raise UnavailableError(
            "the provider is going away" if draining else "the provider is still loading",
            reason=Reason.PROVIDER_DRAINING if draining else Reason.PROVIDER_NOT_READY,
            hint="send the call to another one" if draining else "its health says when it is ready",
            metadata={"state": self.state.value},
            retry_after=1.0,
        )

    def serves(self, method: str) -> bool:
        """Whether the author overrode a method of `Provider`."""
        return getattr(type(self.provider), method) is not getattr(Provider, method)

    def serving(self, method: str, service: str) -> Provider:
        """The provider, ready, when it has that method. Raises `UnsupportedError` when not."""
        if not self.serves(method):
            raise UnsupportedError(
                f"provider {self.config.provider_id} does not have this part of {service}",
                hint="Describe.services lists what it has",
                metadata={"provider": self.config.provider_id, "service": service},
            )
        self.check_ready()
        self.credentials.require()
        return self.provider

    async def prepare(self, request: TransformRequest, facts: CallFacts, *, arriving: bool) -> HostCall:
        """The call that a request means, checked."""
        self.check_ready()
        if not request.model and not request.capability:
            raise InvalidRequestError.at("model", "no model is named", hint="ListModels gives what there is")
        entry, capability = await self._choose(request)
        live = arriving and "live" in entry.model.features
        check_request(request, entry.model, live=live)
        if arriving:
            return LiveCall(request, entry, capability, facts)
        _refuse_streams(request)
        return HostCall(request, entry, capability, facts)

    async def _choose(self, request: TransformRequest) -> tuple[Entry, str]:
        entry, capability = await self.catalog.choose(request.model, request.capability)
        if not request.capability and len(entry.model.capabilities) > 1:
            capability = infer_capability(entry.model, request.turns)
        return entry, capability

    def start(self, call: HostCall, request: TransformRequest, facts: CallFacts) -> Run:
        """Begins a call. Raises `ExhaustedError` when every place is taken."""
        self.check_ready()
        self.credentials.require()
        self.calls.check()
        live = isinstance(call, LiveCall) and call.is_live
        if not live and not self.serves("transform"):
            raise UnsupportedError(
                f"{call.entry.name} only holds conversations",
                hint="use TransformLive",
                metadata={"provider": self.config.provider_id, "service": "mediaconduit.v1.MediaProvider/Transform"},
            )
        function: Callable[[Any], Any] = self.provider.live if live else self.provider.transform
        run = Run(call, function, facts, heartbeat=self.config.heartbeat, clean=self.credentials.clean)
        run.provenance.parent_generations.extend(request.parent_generations)
        task = self.calls.start(self._run(run), name=call.generation)
        run.owned_by(lambda: self.calls.cancel(task))
        return run

    async def _run(self, run: Run) -> None:
        try:
            await run.main()
        finally:
            self.generations.add(run)


def _refuse_streams(request: TransformRequest) -> None:
    for t, turn in enumerate(request.turns):
        for p, part in enumerate(turn.parts):
            if part.HasField("stream"):
                raise InvalidRequestError.at(
                    f"turns[{t}].parts[{p}].stream", "chunks cannot follow here", hint="use TransformLive"
                )
