"""Shows the checks of a provider as they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaconduit_broker.cli import loading, output
from mediaconduit_broker.cli.failures import FAILED, OK, UsageError
from mediaconduit_broker.conformance import Outcome, Report, formats, run_conformance
from mediaconduit_broker.environments import BuildStep, Permissions
from mediaconduit_broker.state import StateFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    source: str
    settings: Mapping[str, Any]
    only: tuple[str, ...]
    """Names; empty = all."""
    allow_build: bool
    state_dir: Path | None
    as_json: bool
    junit: Path | None


async def run(wanted: Wanted, environ: Mapping[str, str]) -> int:
    """Runs the checks, prints them, gives the exit code."""
    if wanted.junit is not None and not wanted.junit.absolute().parent.is_dir():
        raise UsageError(f"--junit {wanted.junit}: there is no such folder")

    def told(news: BuildStep | Outcome) -> None:
        if isinstance(news, BuildStep):
            output.note(news.message)
        elif not wanted.as_json:
            _show(news)

    with loading.build_log():
        report = await run_conformance(
            wanted.source,
            settings=wanted.settings,
            base=Path.cwd(),
            state=StateFolder.at(wanted.state_dir),
            environ=environ,
            permissions=Permissions(build=wanted.allow_build),
            report=told,
            only=wanted.only,
        )
    if wanted.junit is not None:
        wanted.junit.write_text(formats.as_junit(report), encoding="utf-8")
    if wanted.as_json:
        output.print_json(formats.as_json(report))
    else:
        _sum_up(report)
    return OK if report.passed else FAILED


def _show(outcome: Outcome) -> None:
    mark, style = ("✓", "green") if outcome.passed else ("✗", "bold red")
    if not outcome.applicable:
        mark, style = "–", "dim"
    first, *rest = output.safe(outcome.detail).splitlines() or [""]
    plain = "" if not outcome.passed else "dim"
    output.styled(
        (f"{mark} ", style), (outcome.name.ljust(13), "bold" if outcome.applicable else "dim"), (first, plain)
    )
    for line in rest:
        output.styled((" " * 15 + line, "dim"))
    if outcome.advice:
        output.styled((" " * 15, ""), ("hint", "bold cyan"), (f": {outcome.advice}", ""))


def _sum_up(report: Report) -> None:
    count, failed = len(report.outcomes), len(report.failed)
    seconds = sum(outcome.seconds for outcome in report.outcomes)
    skipped = sum(not outcome.applicable for outcome in report.outcomes)
    aside = f", {skipped} not applicable" if skipped else ""
    verdict = (f"{failed} of {count} checks failed", "bold red") if failed else (f"{count} checks passed", "bold green")
    output.styled((f"{report.provider}: ", "bold"), verdict, (f"{aside} ({seconds:.1f} s)", "dim"))
