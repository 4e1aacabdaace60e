from typing import Any

import pytest
from mediaconduit.errors import UnavailableError
from mediaconduit_vendors.retries import Budget, RefusedError, backoff


def refused(*, again: bool = True, after: float | None = None) -> RefusedError:
    return RefusedError(UnavailableError("gone"), again=again, after=after)


@pytest.mark.parametrize(
    ("error", "remaining", "decision"),
    [
        (refused(), None, True),
        (refused(after=3.0), None, 3.0),
        (refused(after=3.0), 10.0, 3.0),
        (refused(after=30.0), 10.0, False),
        (refused(after=61.0), None, False),
        (refused(again=False), None, False),
        (ValueError("a mistake of ours"), None, False),
    ],
)
def test_another_try_is_made_when_it_is_safe_and_in_time(
    error: Exception, remaining: float | None, decision: bool | float
) -> None:
    decide: Any = backoff(Budget(), remaining, longest=60.0)
    assert decide(error) == decision


def test_a_budget_is_spent_by_retries_and_earned_by_requests() -> None:
    budget = Budget(tokens=1.0, earned=0.5, most=2.0)
    assert [budget.spend(), budget.spend()] == [True, False]
    budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()
    for _ in range(100):
        budget.earn()
    assert budget.tokens == 2.0
