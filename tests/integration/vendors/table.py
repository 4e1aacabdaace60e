"""The matrix as a table in ``docs/vendors.md``.

``python -m tests.integration.vendors.table --write`` writes it; without ``--write`` it is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.integration.vendors.matrix import COLUMNS, ROWS, UNFINISHED, VendorCases, load

PAGE = Path(__file__).parents[3] / "docs" / "vendors.md"
BEGIN = "<!-- the matrix: python -m tests.integration.vendors.table --write -->"
END = "<!-- end of the matrix -->"
MARKS = {"yes": "✓", "": "·"}


def table(vendors: Mapping[str, VendorCases]) -> str:
    """Markdown: a row an operation, a column what was tried, and notes for what does not apply."""
    lines = [f"| vendor | operation | {' | '.join(COLUMNS)} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    notes: list[str] = []
    for name, vendor in vendors.items():
        for operation in ROWS[name]:
            filled = name not in UNFINISHED  # what is half done is not claimed
            cells = [_mark(vendor.cell(operation, column) if filled else "", notes) for column in COLUMNS]
            lines.append(f"| {name} | {operation} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]).rstrip() + "\n"


def _mark(cell: str, notes: list[str]) -> str:
    """What stands in the table; a note is written once, however many cells refer to it."""
    if not cell.startswith("n/a: "):
        return MARKS[cell]
    note = cell.removeprefix("n/a: ")
    if note not in notes:
        notes.append(note)
    return f"n/a ({notes.index(note) + 1})"


def renewed(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(load())}\n{END}{after}"


def main() -> None:
    """Writes or prints it."""
    if "--write" in sys.argv[1:]:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table(load()), end="")


if __name__ == "__main__":
    main()
