from functools import partial

import pytest

from bench.stats import interleaved, median_difference, median_ratio


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_all_figures() -> None:
    # Two rounds of a busy machine, where both are slow alike: the ratio of medians would be 20 / 2.
    assert median_ratio([2, 20, 20], [1, 10, 2]) == 2


def test_rounds_that_do_not_pair_up_are_refused() -> None:
    for values, others in (([], []), ([1.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match="pair up"):
            median_ratio(values, others)
        with pytest.raises(ValueError, match="pair up"):
            median_difference(values, others)


def test_a_baseline_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="measures nothing"):
        median_ratio([1.0], [0.0])


def test_a_difference_is_taken_within_each_round() -> None:
    assert median_difference([2, 12, 5], [1, 10, 2]) == 2


async def test_measures_take_turns_and_none_always_comes_first() -> None:
    order: list[str] = []

    async def measure(name: str) -> float:
        order.append(name)
        return len(order)

    found = await interleaved(3, {"a": partial(measure, "a"), "b": partial(measure, "b")})

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}
