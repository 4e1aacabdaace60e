"""The provider under test: its sidecar, started when a check needs one, and what is known of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2
from mediaconduit import tasks
from mediaconduit.v1 import models_pb2, provider_pb2
from mediaconduit.v1.media_pb2 import Turn
from mediaconduit.v1.transform_pb2 import TransformRequest

from mediaconduit_broker.conformance import calls, options, samples
from mediaconduit_broker.conformance.calls import Recorded
from mediaconduit_broker.conformance.check import CheckFailedError, NotApplicableError, SkippedError
from mediaconduit_broker.conformance.running import UNARY_SECONDS, Running
from mediaconduit_broker.conformance.settings import secret_names, settings_schema, value_at
from mediaconduit_broker.conformance.statuses import Failure
from mediaconduit_broker.conformance.subject import Subject
from mediaconduit_broker.runners import Launch, LogBuffer, ProcessRunner
from mediaconduit_broker.secrets import told

_OUTPUT_TOKENS: Final = 16
_LAST_LINES: Final = 8
_SEARCHED_LINES: Final = 10_000
_ERROR_ID: Final = re.compile(r"error id (\w{6,})")


class Bench:
    """What checks work with. Use it as a context; what it started has ended afterwards."""

    def __init__(self, subject: Subject, runner: ProcessRunner) -> None:
        self.subject = subject
        self.logs = LogBuffer()
        self.recorded: list[Recorded] = []
        """Every sample call so far."""
        self._runner = runner
        self._running: Running | None = None
        self._models: dict[str, models_pb2.Model] = {}
        self._tried: list[tuple[str, models_pb2.Model]] | None = None
        self._unframed: set[str] = set()
        """Capabilities whose model judges by nothing the caller says."""
        self._needs: dict[str, str] | None = None
        """By capability, what a call of it fails for the want of."""

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    # -- sidecars -----------------------------------------------------------------------------------------------------

    async def sidecar(self) -> Running:
        """The sidecar that checks share, a new one when the last has ended."""
        if self._running is not None and self._running.sidecar.exit is not None:
            await self.end()
        if self._running is None:
            self._running = await self._start(())
        return self._running

    async def end(self) -> None:
        """Ends the shared sidecar: the next check that needs one gets a new one."""
        running, self._running = self._running, None
        if running is not None:
            await running.aclose()

    @contextlib.asynccontextmanager
    async def own_sidecar(self, *wrapper: str) -> AsyncIterator[Running]:
        """A sidecar for one check alone, its command behind that of a wrapper."""
        running = await self._start(wrapper)
        try:
            yield running
        finally:
            await running.aclose()

    async def _start(self, wrapper: Sequence[str]) -> Running:
        subject = self.subject
        launch = Launch(
            provider_id=subject.manifest.id,
            version=subject.manifest.version,
            command=[*wrapper, *subject.command],
            folder=subject.folder,
            instance=secrets.token_hex(16),
            variables={**subject.variables, **told(subject.manifest.secrets)},
        )
        running = Running(await self._runner.start(launch, self.logs), launch, subject.secrets)
        try:
            await self._until_ready(running)
        except BaseException:
            await running.aclose()
            raise
        return running

    async def _until_ready(self, running: Running) -> None:
        ended = tasks.start(running.sidecar.wait(), name="exit before ready")
        ready = tasks.start(running.ready(self.subject.settings), name="ready")
        seconds = self.subject.start_timeout
        try:
            await asyncio.wait({ended, ready}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.cancel_and_join(ended, ready)
        if ended.done() and not ended.cancelled():
            raise CheckFailedError(f"the sidecar {ended.result()} before it was ready{self.last_lines()}")
        if ready.cancelled():
            said = ", ".join(health_pb2.HealthCheckResponse.ServingStatus.Name(s) for s in running.statuses)
            raise CheckFailedError(
                f"it was not ready after {seconds:g} s; its health said: {said or 'nothing'}{self.last_lines()}"
            )
        failure = ready.exception()
        if isinstance(failure, grpc.aio.AioRpcError):
            raise CheckFailedError(f"it could not be made ready: {Failure.of(failure)}{self.last_lines()}")
        if failure is not None:
            raise failure

    async def death(self) -> str:
        """How the shared sidecar ended and what it wrote last, if that is why a call failed; else empty."""
        if self._running is None:
            return ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                return f"; the sidecar {await self._running.sidecar.wait()}{self.last_lines()}"
        return ""

    def last_lines(self) -> str:
        """What it wrote last, to stand below a detail."""
        return "".join(f"\n  | {record.text}" for record in self.logs.tail(_LAST_LINES))

    def explained(self, detail: str) -> str:
        """What the log has below the error ids that a detail names, to stand below it."""
        ids = _ERROR_ID.findall(detail)
        found = [r.text for r in self.logs.tail(_SEARCHED_LINES) if any(error_id in r.text for error_id in ids)]
        lines = [line for text in found[:1] for line in text.replace("\\n", "\n").splitlines()]
        return "".join(f"\n  | {line}" for line in [*lines[:1], *lines[1:][-_LAST_LINES:]])

    # -- models -------------------------------------------------------------------------------------------------------

    async def model(self, name: str) -> models_pb2.Model:
        """One model, with the schema of its options."""
        if name not in self._models:
            stub = (await self.sidecar()).stub
            answer = await stub.GetModel(provider_pb2.GetModelRequest(name=name), timeout=UNARY_SECONDS)
            self._models[name] = answer.model
        return self._models[name]

    async def listed(self, **request: Any) -> list[models_pb2.Model]:
        """All models, over all pages. Fails the check when the pages do not end."""
        stub = (await self.sidecar()).stub
        found: list[models_pb2.Model] = []
        tokens = {""}
        while True:
            page = await stub.ListModels(provider_pb2.ListModelsRequest(**request), timeout=UNARY_SECONDS)
            found += page.models
            if not page.next_page_token:
                return found
            if page.next_page_token in tokens:
                raise CheckFailedError(f"ListModels gives the page token {page.next_page_token!r} twice")
            tokens.add(page.next_page_token)
            request["page_token"] = page.next_page_token

    async def tried(self) -> list[tuple[str, models_pb2.Model]]:
        """Each capability with a model to try it on: the first that takes what the suite has to give.

        Models that hold conversations come last, for they may do nothing else.
        """
        if self._tried is None:
            self._tried = []
            models = [m for m in await self.listed() if self._may_be_tried(m)]
            models.sort(key=converses)
            for capability in sorted({capability for model in models for capability in model.capabilities}):
                able = (m for m in models if capability in m.capabilities and self._turns(m, capability))
                if (found := next(able, None)) is not None:
                    self._tried.append((capability, await self.model(found.name)))
                    await self._frame(*self._tried[-1])
            self._tried.sort(key=lambda pair: converses(pair[1]))
        return self._tried

    def _may_be_tried(self, model: models_pb2.Model) -> bool:
        wanted = self.subject.models
        is_wanted = not wanted or model.name.removeprefix(self.subject.prefix) in wanted
        return is_wanted and model.state != models_pb2.MODEL_STATE_ABSENT

    async def _frame(self, capability: str, model: models_pb2.Model) -> None:
        """Finds out whether a model that judges wants to be told by what: no field of it says so."""
        if not capability.endswith("-to-scores"):
            return
        failure = (await calls.transform((await self.sidecar()).stub, self.request(capability, model))).failure
        if failure is not None and any(field.startswith("turns[0]") for field in failure.fields):
            self._unframed.add(capability)

    async def working(self) -> list[tuple[str, models_pb2.Model]]:
        """Of `tried`, what the keys at hand suffice for. Skips the check when that is nothing."""
        tried = await self.tried()
        if not tried:
            raise NotApplicableError(await self.why_nothing())
        needs = await self._needed(tried)
        if not (left := [pair for pair in tried if pair[0] not in needs]):
            raise SkippedError(f"needs {', '.join(sorted(set(needs.values())))}")
        return left

    async def main(self) -> TransformRequest:
        """A request that works, for checks that one is enough for. Not applicable when there is none."""
        return self.request(*(await self.working())[0])

    async def sample(self) -> TransformRequest:
        """A request with nothing wrong in it, to be made one that is refused before a key is asked for."""
        if not (tried := await self.tried()):
            raise NotApplicableError(await self.why_nothing())
        return self.request(*tried[0])

    async def _needed(self, tried: Sequence[tuple[str, models_pb2.Model]]) -> dict[str, str]:
        if self._needs is None:
            self._needs = {}
            running = await self.sidecar()
            secret = secret_names(settings_schema(await running.describe()) or {})
            if self.subject.missing or any(value_at(self.subject.settings, name) is None for name in secret):
                for capability, model in tried:
                    recorded = await calls.transform(running.stub, self.request(capability, model))
                    if recorded.failure is not None and (needs := recorded.failure.needs):
                        self._needs[capability] = needs
        return self._needs

    async def why_nothing(self) -> str:
        """Why no model can be tried."""
        if not (listed := await self.listed()):
            return "it has no models"
        if not any(self._may_be_tried(model) for model in listed):
            return "none of the models that are to be tried is there"
        return "no model takes an input that the suite has"

    def request(self, capability: str, model: models_pb2.Model, *, short: bool = True) -> TransformRequest:
        """A sample request. `short`: limited where the model lets itself be limited."""
        given = self.subject.samples.get(capability)
        request = TransformRequest(
            model=model.name,
            capability=capability,
            turns=self._turns(model, capability) or (),
            options=None if given is None else given.options,
        )
        limit = options.at(self.schema(model), "text.max_output_tokens")
        if short and isinstance(limit, Mapping):
            request.options.text.max_output_tokens = max(_OUTPUT_TOKENS, limit.get("minimum", 0))
        return request

    def _turns(self, model: models_pb2.Model, capability: str) -> list[Turn] | None:
        given = self.subject.samples.get(capability)
        part = None if given is None else given.part
        return samples.turns(model, capability, part, framed=capability not in self._unframed)

    def schema(self, model: models_pb2.Model) -> Mapping[str, Any]:
        """The schema of a model's options; empty when it cannot be read, which is another check's matter."""
        return options.parse(model.options_schema) or {}


def converses(model: models_pb2.Model) -> bool:
    """Whether a model holds conversations."""
    return "live" in model.features
