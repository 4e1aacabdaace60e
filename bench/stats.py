"""Medians of interleaved rounds: what makes a figure of a busy machine worth reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar

K = TypeVar("K")


async def interleaved(rounds: int, measures: dict[K, Callable[[], Awaitable[float]]]) -> dict[K, list[float]]:
    """Takes every measure once per round. Neighbours in time see the same neighbours on the machine.

    The order turns around with every round, so that none always comes first.
    """
    found: dict[K, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            found[name].append(await measures[name]())
    return found


def median_ratio(values: Sequence[float], baselines: Sequence[float]) -> float:
    """Median of the ratios of each round; not the ratio of medians, which mixes quiet rounds with busy ones.

    Raises:
        ValueError: The rounds do not pair up, or a baseline is not above 0.
    """
    if not values or len(values) != len(baselines):
        raise ValueError(f"{len(values)} values do not pair up with {len(baselines)} baselines")
    if any(baseline <= 0 for baseline in baselines):
        raise ValueError("a baseline of 0 measures nothing")
    return median(value / baseline for value, baseline in zip(values, baselines, strict=True))


def median_difference(values: Sequence[float], others: Sequence[float]) -> float:
    """Median of the differences of each round, for what one path adds to another.

    Raises:
        ValueError: The rounds do not pair up.
    """
    if not values or len(values) != len(others):
        raise ValueError(f"{len(values)} values do not pair up with {len(others)} others")
    return median(value - other for value, other in zip(values, others, strict=True))
