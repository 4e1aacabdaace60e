"""The rows, by the name that ``--only`` takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from bench.report import Row
from bench.rows import built, cold, crowd, file, host, idle, load, node, relay, resident, start, streams, vendors
from bench.world import World

Measure = Callable[[World], Awaitable[list[Row]]]

ROWS: Final[dict[str, Measure]] = {
    "relay": relay.cpu,
    "backlog": relay.backlog,
    "first-event": relay.first_event,
    "host-paced": host.paced,
    "host-saturated": host.saturated,
    "warm-start": start.warm,
    "environment": start.environment,
    "cold-load": cold.repository,
    "load": load.running_provider,
    "file": file.in_and_out,
    "memory": resident.memory,
    "idle": idle.many,
    "crowd": crowd.loads,
    "vendor-chunk": vendors.chunk,
    "vendor-first-token": vendors.first_token,
    "vendor-memory": vendors.memory,
    "node": node.node,
    "go": built.go,
    "rust": built.rust,
    "help": start.help_text,
    "streams": streams.thousand,
}
