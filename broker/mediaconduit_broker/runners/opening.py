"""Which runner a broker has, and what it does first about what an earlier one left."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path

import structlog
from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.isolation import Isolator
from mediaconduit_broker.keeper.client import end_keeper
from mediaconduit_broker.runners.detached import DetachedRunner
from mediaconduit_broker.runners.journal import Journal
from mediaconduit_broker.runners.process import ProcessRunner

_log = structlog.get_logger(__name__)

Isolate = Callable[[Sequence[Path]], Isolator]
"""Makes an isolator with these folders; () = new ones."""


@contextlib.asynccontextmanager
async def attached(environ: Mapping[str, str], isolate: Isolate, root: Path) -> AsyncIterator[ProcessRunner]:
    """A runner whose sidecars end with the broker. Those of an earlier one are ended first, detached or not.

    Args:
        environ: The broker's own variables.
        isolate: Makes what keeps sidecars apart.
        root: The state folder, locked.
    """
    journal = Journal(root)
    ended = await asyncio.to_thread(end_all, root)
    if ended:
        _log.warning("ended what an earlier broker left", sidecars=ended)
    isolator = isolate(())
    journal.remember_folders(isolator.folders)
    runner = ProcessRunner(environ, isolator, journal)
    try:
        yield runner
    finally:
        runner.close()


@contextlib.asynccontextmanager
async def detached(
    environ: Mapping[str, str], isolate: Isolate, root: Path, *, lease: float, wanted: Collection[str]
) -> AsyncIterator[DetachedRunner]:
    """A runner whose sidecars survive the broker. Those of an earlier one are found again, or ended.

    Args:
        environ: The broker's own variables.
        isolate: Makes what keeps sidecars apart.
        root: The state folder, locked.
        lease: Seconds that sidecars run on without a broker.
        wanted: Ids of the providers that will be loaded.

    Raises:
        PreconditionError: There can be no keeper here.
    """
    if sys.platform != "linux":
        raise PreconditionError(
            "sidecars can be detached on Linux only",
            reason=Reason.NOT_ALLOWED,
            hint="start without --detached to have them end with the broker",
        )
    journal = Journal(root)
    if not journal.folders():
        journal.remove_folders()
    isolator = isolate(journal.folders())
    journal.remember_folders(isolator.folders)
    runner = DetachedRunner(environ, isolator, journal, lease)
    try:
        try:
            await runner.open(wanted)
        except OSError as error:
            raise PreconditionError(
                f"sidecars cannot be detached: {error.strerror or 'there is no keeper'}",
                reason=Reason.NOT_ALLOWED,
                hint="start without --detached to have them end with the broker",
            ) from error
        yield runner
    finally:
        await runner.aclose()


def end_all(root: Path) -> int:
    """Ends the keeper and all sidecars of a state folder that no broker uses; gives how many sidecars. Blocks."""
    journal = Journal(root)
    kept = sum(end_keeper(folder / "keeper") or 0 for folder in journal.folders()[:1])
    left = journal.end_leftovers(journal.all())
    journal.remove_folders()
    return kept + left
