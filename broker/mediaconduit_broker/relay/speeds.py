"""How soon models answer, as the relay has seen it."""

from __future__ import annotations

import statistics
from collections import OrderedDict, deque
from typing import Final

_CALLS: Final = 32
"""Latest calls of a model that count."""
_MODELS: Final = 2000
"""Models that are remembered, those called last."""


class Speeds:
    """Times to the first output of the latest calls, by name of the model, since the broker started."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, model: str, seconds: float) -> None:
        """A call that came to its end."""
        self._seconds.setdefault(model, deque(maxlen=_CALLS)).append(seconds)
        self._seconds.move_to_end(model)
        if len(self._seconds) > _MODELS:
            self._seconds.popitem(last=False)

    def median(self, model: str) -> float | None:
        """Seconds; None when it has not been called."""
        seconds = self._seconds.get(model)
        return statistics.median(seconds) if seconds else None
