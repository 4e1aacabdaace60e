"""What is new about models, as the contract has it."""

from __future__ import annotations

from collections.abc import Iterable

from mediaconduit.v1 import broker_pb2

from mediaconduit_broker.model_watch import Noticed


def model_changes(noticed: Iterable[Noticed]) -> list[broker_pb2.ModelChange]:
    """In the same order."""
    return [_change(one) for one in noticed]


def _change(noticed: Noticed) -> broker_pb2.ModelChange:
    found = noticed.difference
    change = broker_pb2.ModelChange(
        name=found.name,
        kind=found.kind.value,  # type: ignore[arg-type]
        capabilities_appeared=found.appeared,
        capabilities_vanished=found.vanished,
    )
    change.time.FromNanoseconds(int(noticed.time * 1e9))
    return change
