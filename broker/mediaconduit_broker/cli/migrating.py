"""Shows what becomes of a repository of the original, and writes it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mediaconduit_broker import migration
from mediaconduit_broker.cli import loading, output
from mediaconduit_broker.cli.failures import FAILED, OK
from mediaconduit_broker.cli.trusting import BrokerPlace, fetching
from mediaconduit_broker.migration import Finding, Kind, Migration
from mediaconduit_broker.sources import Checkout, FolderSource, parse
from mediaconduit_broker.trust import check_by_hand

_MARKS: Final = {
    Kind.RUNS: ("✓", "green", "runs as it is"),
    Kind.FITTED: ("~", "cyan", "made to fit"),
    Kind.NEEDS: ("○", "yellow", "needs"),
    Kind.BREAKS: ("✗", "bold red", "would break"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    source: str
    check: bool
    replace: bool
    folder: Path | None
    as_json: bool


async def run(wanted: Wanted, where: BrokerPlace, environ: Mapping[str, str]) -> int:
    """Reads, reports and writes; gives the exit code."""
    place = parse(wanted.source)
    is_here = isinstance(place, FolderSource) and wanted.folder is None
    checkout = await _checkout(wanted.source, where, environ)
    name = checkout.folder.name if isinstance(place, FolderSource) else _name_of(checkout)
    planned = migration.plan(checkout.folder, name)
    folder = checkout.folder if is_here else wanted.folder or Path(planned.provider_id)
    written = [] if wanted.check or not planned.manifest else _write(planned, checkout.folder, folder, wanted, is_here)
    if wanted.as_json:
        output.print_json(as_json(planned, written))
    else:
        _show(planned)
        _next(planned, folder, written, wanted)
    return OK if planned.runs or planned.repository.is_service else FAILED


def as_json(planned: Migration, written: list[Path]) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "provider": planned.provider_id,
        "runs": planned.runs,
        "findings": [
            {"kind": str(f.kind), "about": f.about, "detail": f.detail, "advice": f.advice} for f in planned.findings
        ],
        "manifest": planned.manifest,
        "written": [str(path) for path in written],
    }


async def _checkout(source: str, where: BrokerPlace, environ: Mapping[str, str]) -> Checkout:
    check_by_hand(source, where.state, base=Path.cwd(), allow=where.config.trust.allow)
    async with contextlib.aclosing(fetching(where, environ)) as sources:
        with loading.display(source) as show:
            return await sources.resolve(source, report=lambda message, fraction: show(message, fraction, ""))


def _name_of(checkout: Checkout) -> str:
    return checkout.origin.rstrip("/").rpartition("/")[2].partition("@")[0].removesuffix(".git")


def _write(planned: Migration, fetched: Path, folder: Path, wanted: Wanted, is_here: bool) -> list[Path]:
    if not is_here:
        migration.copy(fetched, folder)
    # A copy is nobody's original: the new manifest is what it is for.
    return migration.place(planned, folder, replace=wanted.replace or not is_here)


def _show(planned: Migration) -> None:
    repository = planned.repository
    about = str(repository.manifest.get("name") or "")
    output.styled((output.safe(planned.provider_id), "bold"), (f"  {output.safe(about)}", "dim"))
    width = max((len(finding.about) for finding in planned.findings), default=0) + 2
    for kind, (mark, style, title) in _MARKS.items():
        found = [finding for finding in planned.findings if finding.kind is kind]
        if found:
            output.styled((f"\n{title}", "bold"))
        for finding in found:
            _show_finding(finding, mark, style, width)


def _show_finding(finding: Finding, mark: str, style: str, width: int) -> None:
    output.styled((f"  {mark} ", style), (finding.about.ljust(width), "bold"), (output.safe(finding.detail), ""))
    if finding.advice:
        output.styled((" " * (width + 4), ""), ("hint", "bold cyan"), (f": {output.safe(finding.advice)}", ""))


def _next(planned: Migration, folder: Path, written: list[Path], wanted: Wanted) -> None:
    output.styled(("", ""))
    if not planned.manifest:
        return
    if not planned.runs:
        output.note("it will not run before what would break is changed; then migrate it again", style="bold")
    for path in written:
        output.done("wrote" if path == written[0] else "kept", os.path.relpath(path))
    place = os.path.relpath(folder)
    source = place if place.startswith(("/", ".")) else f"./{place}"
    if written and written[0].name == migration.NEW:
        steps = [(f"mediaconduit migrate {source} --replace", "when it is as you want it")]
    elif written:
        steps = [(f"mediaconduit test {source}", "check it"), (f"mediaconduit provider add {source}", "load it")]
    else:
        again = f" --in {source}" if not isinstance(parse(wanted.source), FolderSource) else ""
        shown = source if not again else wanted.source
        steps = [(f"mediaconduit migrate {shown}{again}", "write the new manifest")]
    for command, what in steps:
        output.styled(("  ", ""), (command.ljust(52) + "  ", "bold"), (what, "dim"), stderr=True)
