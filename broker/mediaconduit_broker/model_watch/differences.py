"""What differs between two lists of models: decided here, without any effect."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mediaconduit.v1 import models_pb2

ModelSet: TypeAlias = Mapping[str, frozenset[str]]
"""Capabilities by name of the model ("providers/{provider}/models/{model}")."""


class Kind(enum.Enum):
    """What happened; the values are the contract's ModelChangeKind."""

    APPEARED = 1
    VANISHED = 2
    CHANGED = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Something about one model is new, or about what all of a provider's models do together."""

    name: str
    """Of the model; "providers/{provider}" for all of them together."""
    kind: Kind
    appeared: tuple[str, ...] = ()
    """Capabilities, in order."""
    vanished: tuple[str, ...] = ()
    """Capabilities, in order."""

    @property
    def of_model(self) -> bool:
        """Whether it is about one model."""
        return "/models/" in self.name


def model_set(models: Iterable[models_pb2.Model]) -> ModelSet:
    """What is compared of models."""
    return {model.name: frozenset(model.capabilities) for model in models}


def compared(provider_id: str, before: ModelSet, now: ModelSet) -> list[Difference]:
    """What is new: first about the provider as a whole, then about its models in order of name."""
    names = sorted(before.keys() | now.keys())
    found = [_difference(name, before.get(name), now.get(name)) for name in names]
    whole = _difference(f"providers/{provider_id}", _together(before), _together(now))
    return [difference for difference in (whole, *found) if difference is not None]


def _difference(name: str, before: frozenset[str] | None, now: frozenset[str] | None) -> Difference | None:
    if before == now:
        return None
    kind = Kind.APPEARED if before is None else Kind.VANISHED if now is None else Kind.CHANGED
    old, new = before or frozenset(), now or frozenset()
    return Difference(name, kind, tuple(sorted(new - old)), tuple(sorted(old - new)))


def _together(models: ModelSet) -> frozenset[str]:
    return frozenset().union(*models.values())
