"""Adds up the JUnit reports of several runs: ``N passed, N failed, N skipped``. Fails when one failed or none ran.

usage: tally.py folder [failed steps that have no report]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

WORST = ("passed", "skipped", "failed")


def outcomes(report: Path) -> dict[tuple[str, str], str]:
    """The worst of what each test did: one that passed and failed in its teardown has two entries."""
    found: dict[tuple[str, str], str] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by our own test run
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        name = case.get("classname", ""), case.get("name", "")
        found[name] = max(outcome, found.get(name, "passed"), key=WORST.index)
    return found


def main() -> int:
    """Prints the line."""
    counts: Counter[str] = Counter(failed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    for report in sorted(Path(sys.argv[1]).glob("*.xml")):
        counts.update(outcomes(report).values())
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
