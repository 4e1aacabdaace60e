"""What has been noticed about the models of a provider since the broker started."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mediaconduit_broker.model_watch.differences import Difference, Kind

KEPT: Final = 1000
"""Differences of one provider that are kept for watchers who come later."""


@dataclass(slots=True)
class Counters:
    """How often what a provider offers has changed; each only grows.

    Seen by ``mediaconduit provider inspect``. As metrics they are called as said here, with the label ``provider``.
    """

    comparisons: int = 0
    """``mediaconduit_model_comparisons_total``: lists compared with the one before."""
    models_appeared: int = 0
    """``mediaconduit_models_appeared_total``"""
    models_vanished: int = 0
    """``mediaconduit_models_vanished_total``"""
    capabilities_appeared: int = 0
    """``mediaconduit_capabilities_appeared_total``: of the whole provider."""
    capabilities_vanished: int = 0
    """``mediaconduit_capabilities_vanished_total``: of the whole provider."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A difference and when it was noticed."""

    difference: Difference
    time: float
    """Seconds since the epoch."""


@dataclass(slots=True)
class ProviderHistory:
    """One provider's counters and latest differences."""

    counters: Counters = field(default_factory=Counters)
    last_number: int = 0
    """How many differences there have been in all."""
    _kept: deque[Noticed] = field(default_factory=lambda: deque(maxlen=KEPT))

    def note(self, differences: Sequence[Difference], time: float) -> None:
        """A comparison and what came of it."""
        counters = self.counters
        counters.comparisons += 1
        for difference in differences:
            if difference.of_model:
                counters.models_appeared += difference.kind is Kind.APPEARED
                counters.models_vanished += difference.kind is Kind.VANISHED
            else:
                counters.capabilities_appeared += len(difference.appeared)
                counters.capabilities_vanished += len(difference.vanished)
            self._kept.append(Noticed(difference, time))
            self.last_number += 1

    def since(self, number: int) -> list[Noticed]:
        """Those after the first `number`, oldest first; the oldest may be gone."""
        wanted = min(self.last_number - number, len(self._kept))
        return list(self._kept)[len(self._kept) - wanted :]
