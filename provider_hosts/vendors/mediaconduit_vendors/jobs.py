"""Work that a vendor does in the background: submitted once, asked about until done, resumed and never repeated."""

from __future__ import annotations

import abc
import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from mediaconduit.errors import MediaConduitError, PreconditionError, Reason
from mediaconduit.tasks import shielded
from mediaconduit_provider import Call, Checkpoint, Facts, Progress
from mediaconduit_provider.outputs import Yielded

from mediaconduit_vendors.api import Api

FAILED_LOOKS: Final = 5
"""How often in a row a vendor may fail to say how a job stands, each time after the usual tries."""
CANCEL_SECONDS: Final = 5.0
"""Time to tell the vendor that nobody waits any more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """How a job stands."""

    done: bool = False
    """It succeeded; one that failed is raised instead."""
    answer: Any = None
    """What the vendor said, for `Job.deliver`."""
    fraction: float | None = None
    """0 to 1; None when the vendor does not say."""
    stage: str = ""
    """The vendor's word ("queued")."""
    queue_position: int | None = None
    facts: Facts | None = None
    """For the call's provenance."""
    failed: MediaConduitError | None = None
    """Why it failed for good: not asked about again, whatever the reason. Raised errors may be of the asking alone."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that the vendor has taken on."""

    job_id: str
    """The vendor's id of it."""
    facts: Facts | None = None
    """For the call's provenance."""


class Job(abc.ABC):
    """An operation whose work the vendor does in the background. An instance serves all calls."""

    @abc.abstractmethod
    async def submit(self, api: Api, call: Call) -> Submitted | str:
        """Hands the work in; the vendor's id of it."""

    @abc.abstractmethod
    async def look(self, api: Api, call: Call, job_id: str) -> Look:
        """Asks how it stands. Raises how it failed."""

    @abc.abstractmethod
    def deliver(self, api: Api, call: Call, look: Look) -> AsyncGenerator[Yielded, None]:
        """Gives what it made."""

    async def cancel(self, api: Api, job_id: str) -> None:  # noqa: B027 - many vendors have nothing to do here
        """Tells the vendor to stop. Vendors without such a request go on."""

    async def __call__(self, api: Api, call: Call) -> AsyncGenerator[Yielded, None]:
        """Submits, or goes on with what was submitted; says how far it is; delivers."""
        submitted = _resumed(call, api) if call.resume_token else await self.submit(api, call)
        if isinstance(submitted, str):
            submitted = Submitted(submitted)
        job_id = submitted.job_id
        yield Checkpoint(resume_token=_token(api, job_id))
        if submitted.facts is not None:
            yield submitted.facts
        try:
            async with aclosing(self._looks(api, call, job_id)) as looks:
                async for look in looks:
                    if look.facts is not None:
                        yield look.facts
                    if not look.done:
                        yield _progress(look)
        except (asyncio.CancelledError, GeneratorExit):
            # A sidecar that goes away leaves the job to the one that resumes it.
            if call.left:
                await shielded(
                    self._cancel(api, job_id), timeout=CANCEL_SECONDS, name=f"cancel job of {call.generation}"
                )
            raise
        async with aclosing(self.deliver(api, call, look)) as outputs:
            async for output in outputs:
                yield output

    async def _looks(self, api: Api, call: Call, job_id: str) -> AsyncGenerator[Look, None]:
        """How the job stands whenever that changes, until it is done."""
        failed, last = 0, None
        while True:
            try:
                look = await self.look(api, call, job_id)
                failed = 0
            except MediaConduitError as error:
                failed += 1
                if not error.retryable or failed >= FAILED_LOOKS:
                    raise
                look = last or Look()
            if look.failed is not None:
                raise look.failed
            if look != last:
                yield look
            if look.done:
                return
            last = look
            await asyncio.sleep(api.poll_interval)

    async def _cancel(self, api: Api, job_id: str) -> None:
        try:
            await self.cancel(api, job_id)
        except MediaConduitError as error:
            _log.warning("the vendor's job could not be cancelled: %s", error.message)


def _progress(look: Look) -> Progress:
    progress = Progress(stage=look.stage)
    if look.fraction is not None:
        progress.fraction = look.fraction
    if look.queue_position is not None:
        progress.queue_position = look.queue_position
    return progress


def _token(api: Api, job_id: str) -> bytes:
    return json.dumps({"vendor": api.vendor.id, "job": job_id}).encode()


def _resumed(call: Call, api: Api) -> str:
    """The job of a resume token. Raises `PreconditionError`, RESUME_REJECTED, for another's."""
    try:
        token = json.loads(call.resume_token)
        if token["vendor"] == api.vendor.id:
            return str(token["job"])
    except (ValueError, TypeError, KeyError):
        pass
    raise PreconditionError(
        "the resume token is not one of this provider's",
        reason=Reason.RESUME_REJECTED,
        hint="send the request again, without it",
    )
