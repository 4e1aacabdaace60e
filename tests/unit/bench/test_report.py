import json
from pathlib import Path

import pytest

from bench.report import BEGIN, END, Row, at_least, at_most, figure, into_page, markdown, merged, read_json, write_json


def test_a_budget_is_judged_by_the_figure_itself_and_not_by_its_rounding() -> None:
    assert at_most("a", 1.1001, "x", 1.1) == Row("a", 1.1, "x", "<= 1.1", False)
    assert at_most("a", 1.1, "x", 1.1).met
    assert at_least("a", 9.999, "x", 10) == Row("a", 10.0, "x", ">= 10", False)
    assert figure("a", 3, "ms").met is None


def test_a_run_of_one_row_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read_json(path) == []
    write_json(path, [figure("a", 1, "s"), at_most("b", 2, "s", 1)])
    write_json(path, merged(read_json(path), [figure("a", 3, "s")]))

    assert read_json(path) == [figure("a", 3, "s"), at_most("b", 2, "s", 1)]
    assert set(json.loads(path.read_text())[0]) == {"name", "value", "unit", "budget", "met"}


def test_a_page_gets_its_table_replaced_and_nothing_else() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    made = into_page(page, [at_most("relay", 2, "x", 1.1)])
    assert made == f"before\n{BEGIN}\n{markdown([at_most('relay', 2, 'x', 1.1)])}\n{END}\nafter\n"
    assert "| relay | 2 × | ≤ 1.1 | MISSED |" in made
    with pytest.raises(ValueError, match="there is no"):
        into_page("no place", [])
