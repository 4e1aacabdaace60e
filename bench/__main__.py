"""``python -m bench``: runs the rows, shows a table, writes bench/results.json.

A missed budget is told and is no error; exit code 1 means that something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bench import report
from bench.processes import ROOT
from bench.rows import ROWS
from bench.world import World

RESULTS = ROOT / "bench" / "results.json"


def main() -> int:
    """Runs; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the budgets on this machine.")
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="ROW", help=f"one of {', '.join(ROWS)}")
    parser.add_argument("--full", action="store_true", help="100 providers for the streams, not 20 (needs 6 GB)")
    parser.add_argument("--readme", action="store_true", help="put the last results into README.md and measure nothing")
    wanted = parser.parse_args()
    console = Console()
    if wanted.readme:
        page = ROOT / "README.md"
        page.write_text(report.into_page(page.read_text(), report.read_json(RESULTS)))
        return 0
    rows, unknown = asyncio.run(_measure(console, wanted.only or list(ROWS), full=wanted.full))
    earlier = report.read_json(RESULTS) if wanted.only else []
    report.write_json(RESULTS, report.merged(earlier, rows))
    console.print()
    console.print(report.table(rows))
    missed = sum(row.met is False for row in rows)
    told = "[green]all budgets are met[/]" if not missed else f"[bold red]{missed} of the budgets are missed[/]"
    console.print(f"\n{told}; load of the machine {os.getloadavg()[0]:.1f}; written to {RESULTS.relative_to(ROOT)}")
    if unknown:
        console.print(f"[bold red]not measured: {', '.join(unknown)}[/]")
    return 1 if unknown else 0


async def _measure(console: Console, names: list[str], *, full: bool) -> tuple[list[report.Row], list[str]]:
    rows: list[report.Row] = []
    unknown: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mediaconduit-bench-") as folder:
        world = World(Path(folder), full=full)
        for number, name in enumerate(names, 1):
            begin = time.monotonic()
            with console.status(f"{name} ({number} of {len(names)})"):
                try:
                    found = await ROWS[name](world)
                except Exception:
                    _explain(console, world, name)
                    unknown.append(name)
                    continue
            rows += found
            met = "" if all(row.met is not False for row in found) else "  [bold red]missed[/]"
            console.print(f"[dim]{number:>2}/{len(names)}[/] {name:<16}{time.monotonic() - begin:6.1f} s{met}")
    return rows, unknown


def _explain(console: Console, world: World, name: str) -> None:
    """One row that cannot be measured does not cost the others."""
    console.print(f"[bold red]{name} could not be measured[/]")
    console.print_exception()
    if world.log.exists():
        console.print("the processes' own log ends with:")
        console.print(world.log.read_text(errors="replace")[-2000:], markup=False)


if __name__ == "__main__":
    # As installed: bytecode compiled, no notices of gRPC's core.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.exit(main())
