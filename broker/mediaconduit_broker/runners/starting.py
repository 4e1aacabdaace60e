"""Starts that are not cut short: who cancels one has nothing left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from mediaconduit import tasks

from mediaconduit_broker.runners.base import Sidecar

S = TypeVar("S", bound=Sidecar)

_END_SECONDS: Final = 15.0


async def to_its_end(start: Coroutine[Any, Any, S], *, name: str) -> S:
    """The sidecar. When cancelled, waits until it is there, ends it, and raises the cancellation.

    Cut short in the middle it would be a process without anybody who knows of it.

    Args:
        start: Gives it.
        name: Of the task.
    """
    starting = tasks.start(start, name=name)
    try:
        await tasks.join(starting)
    except asyncio.CancelledError:
        if not starting.cancelled() and starting.exception() is None:
            await tasks.shielded(starting.result().stop(0), timeout=_END_SECONDS, name=f"end of {name}")
        raise
    return starting.result()
