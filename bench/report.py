"""What a run found: a table to read, JSON to compare, Markdown for the README."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and its budget."""

    name: str
    value: float
    unit: str
    """"x" for ratios."""
    budget: str
    """"<= 1.1" or ">= 10"; empty for a figure that only explains another."""
    met: bool | None
    """None without a budget."""


def at_most(name: str, value: float, unit: str, limit: float) -> Row:
    """A row that is met by a small value."""
    return Row(name, _rounded(value), unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Row:
    """A row that is met by a large value."""
    return Row(name, _rounded(value), unit, f">= {limit:g}", value >= limit)


def figure(name: str, value: float, unit: str) -> Row:
    """A row without a budget."""
    return Row(name, _rounded(value), unit, "", None)


def table(rows: Iterable[Row]) -> Table:
    """For the terminal."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("what", overflow="fold")
    made.add_column("value", justify="right")
    made.add_column("unit")
    made.add_column("budget", justify="right")
    made.add_column("met")
    for row in rows:
        colour = {True: "green", False: "bold red", None: "dim"}[row.met]
        made.add_row(row.name, f"{row.value:g}", row.unit, row.budget, f"[{colour}]{_word(row)}[/]")
    return made


def merged(earlier: Iterable[Row], rows: Iterable[Row]) -> list[Row]:
    """Rows of an earlier run, with those that this run has measured again."""
    kept = {row.name: row for row in earlier} | {row.name: row for row in rows}
    return list(kept.values())


def write_json(path: Path, rows: Iterable[Row]) -> None:
    """A list of ``{name, value, unit, budget, met}``."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> list[Row]:
    """As `write_json` left them; nothing when it has not."""
    if not path.exists():
        return []
    return [Row(**entry) for entry in json.loads(path.read_text())]


def markdown(rows: Iterable[Row]) -> str:
    """A table for a Markdown page."""
    lines = ["| what | measured | budget | |", "|---|---:|---:|---|"]
    lines += [
        f"| {row.name} | {row.value:g} {_sign(row.unit)} | {row.budget.replace('<=', '≤').replace('>=', '≥')} | "
        f"{_word(row) if row.budget else ''} |"
        for row in rows
    ]
    return "\n".join(lines)


def into_page(page: str, rows: Iterable[Row]) -> str:
    """The page with its table replaced.

    Raises:
        ValueError: It has no place for one.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN} … {END}")
    return f"{head}{BEGIN}\n{markdown(rows)}\n{END}{tail}"


def _word(row: Row) -> str:
    return {True: "met", False: "MISSED", None: "-"}[row.met]


def _sign(unit: str) -> str:
    return "×" if unit == "x" else unit


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
