from __future__ import annotations

from mediaconduit_broker.relay.speeds import Speeds


def test_the_median_of_a_models_latest_calls_counts() -> None:
    speeds = Speeds()
    assert speeds.median("a") is None
    for seconds in (9.0, 1.0, 2.0):
        speeds.note("a", seconds)
    speeds.note("b", 5.0)
    assert (speeds.median("a"), speeds.median("b")) == (2.0, 5.0)
    for _ in range(32):
        speeds.note("a", 0.5)
    assert speeds.median("a") == 0.5


def test_models_that_were_not_called_for_longest_are_forgotten() -> None:
    speeds = Speeds()
    speeds.note("first", 1.0)
    speeds.note("second", 1.0)
    speeds.note("first", 1.0)
    for number in range(1999):
        speeds.note(str(number), 1.0)
    assert speeds.median("first") == 1.0
    assert speeds.median("second") is None
