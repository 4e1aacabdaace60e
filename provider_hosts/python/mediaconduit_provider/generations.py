"""Records of calls as they end; how usage reaches the broker when a call was cancelled or went past it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final

from mediaconduit.status import to_status
from mediaconduit.v1.generations_pb2 import Generation

from mediaconduit_provider.transform import Run

KEPT: Final = 1000
"""Records that are kept."""
_PAGE: Final = 100


class Generations:
    """The last records, in the order the calls ended."""

    def __init__(self) -> None:
        self._records: deque[Generation] = deque(maxlen=KEPT)
        self._count = 0
        self._news = asyncio.Event()

    def add(self, run: Run) -> None:
        """Records a call that ended, however it ended."""
        record = Generation(
            name=run.call.generation,
            model=run.call.entry.name,
            capability=run.call.capability,
            labels=run.call.labels,
            usage=run.encoder.usage,
            provenance=run.provenance,
            caller=run.call.caller,
        )
        if run.error is None:
            record.finishes.extend(run.encoder.finishes)
        else:
            record.error.CopyFrom(to_status(run.error))
        record.end_time.GetCurrentTime()
        self._records.append(record)
        self._count += 1
        self._news.set()
        self._news = asyncio.Event()

    async def watch(self, after: str) -> AsyncIterator[list[Generation]]:
        """Those since `after` (all that are kept when it is forgotten), then new ones as they come."""
        seen = self._position_after(after)
        while True:
            news = self._news
            oldest = self._count - len(self._records)
            start = max(seen - oldest, 0)
            batch = list(islice(self._records, start, start + _PAGE))
            if batch:
                seen = oldest + start + len(batch)
                yield batch
            else:
                await news.wait()

    def _position_after(self, name: str) -> int:
        oldest = self._count - len(self._records)
        for position, record in enumerate(self._records):
            if name and record.name == name:
                return oldest + position + 1
        return oldest
