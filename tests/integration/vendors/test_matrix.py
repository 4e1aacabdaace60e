"""Vendor × operation × (request, stream, error, cancel, timeout), as `matrix` explains."""

from __future__ import annotations

import pytest

from tests.integration.vendors.columns import TRIED
from tests.integration.vendors.matrix import COLUMNS, ROWS, UNFINISHED, Case, all_cases, load
from tests.integration.vendors.table import PAGE, renewed

CELLS = [
    pytest.param(case, column, id=f"{case.name}, {column}")
    for case in all_cases()
    for column in COLUMNS
    if column not in case.not_applicable
]


@pytest.mark.parametrize(("case", "column"), CELLS)
async def test_cell(case: Case, column: str) -> None:
    await TRIED[column](case)


@pytest.mark.parametrize("vendor", ROWS)
def test_cases_can_be_read(vendor: str) -> None:
    if (error := load()[vendor].error) is not None:
        raise error


@pytest.mark.parametrize("vendor", ROWS)
def test_every_cell_is_filled(vendor: str) -> None:
    gaps = load()[vendor].gaps()
    if vendor in UNFINISHED:
        assert gaps, f"{vendor} has no gaps any more: take it out of UNFINISHED"
    else:
        assert not gaps


def test_the_table_in_the_documentation_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m tests.integration.vendors.table --write"


def test_every_column_is_tried() -> None:
    assert tuple(TRIED) == COLUMNS
