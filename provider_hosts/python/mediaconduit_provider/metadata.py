"""What a call's metadata says about it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from mediaconduit.channels import CALLER_HEADER, GENERATION_HEADER, QUEUE_HEADER, SOURCE_HEADER


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What only the broker and the transport know."""

    generation: str
    """"generations/{id}"."""
    source: str
    """The provider's code as resolved; empty without a broker."""
    queue_ms: int
    """Milliseconds the call waited before it came here."""
    caller: str
    """Who calls; empty without a broker."""
    deadline: float | None
    """``time.monotonic`` at which the caller gives up."""


def read(metadata: Iterable[tuple[str, str | bytes]] | None, remaining: float | None, request_id: str) -> CallFacts:
    """The facts of a call. `remaining` is in seconds; None without a deadline."""
    found = {key: value for key, value in metadata or () if isinstance(value, str)}
    queue = found.get(QUEUE_HEADER, "")
    return CallFacts(
        generation=found.get(GENERATION_HEADER) or f"generations/{request_id or uuid.uuid4()}",
        source=found.get(SOURCE_HEADER, ""),
        queue_ms=int(queue) if queue.isdecimal() else 0,
        caller=found.get(CALLER_HEADER, ""),
        deadline=None if remaining is None else time.monotonic() + remaining,
    )
