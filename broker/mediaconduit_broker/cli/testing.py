"""Shows the checks of a provider as they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mediaconduit_broker.cli import loading, output
from mediaconduit_broker.cli.failures import FAILED, OK, PRECONDITION, UsageError
from mediaconduit_broker.cli.trusting import BrokerPlace, fetching
from mediaconduit_broker.conformance import CHECKS, Outcome, Report, formats, run_conformance
from mediaconduit_broker.environments import BuildStep, Permissions

_WIDTH: Final = max(map(len, CHECKS)) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    source: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    live: bool
    """Ask the real vendor."""
    models: tuple[str, ...]
    """Ids of the only ones to try; empty = any."""
    allow_skipped: bool
    """Whether checks that were skipped are no reason to end with another code than 0."""
    only: tuple[str, ...]
    """Names; empty = all."""
    allow_build: bool
    as_json: bool
    junit: Path | None


async def run(wanted: Wanted, where: BrokerPlace, environ: Mapping[str, str]) -> int:
    """Runs the checks, prints them, gives the exit code."""
    if wanted.junit is not None and not wanted.junit.absolute().parent.is_dir():
        raise UsageError(f"--junit {wanted.junit}: there is no such folder")

    def told(news: BuildStep | Outcome) -> None:
        if isinstance(news, BuildStep):
            output.note(news.message)
        elif not wanted.as_json:
            show(news)

    with loading.build_log():
        report = await run_conformance(
            wanted.source,
            settings=wanted.settings,
            base=Path.cwd(),
            state=where.state,
            fetch=lambda: fetching(where, environ),
            allow=where.config.trust.allow,
            environ=environ,
            secrets=wanted.secrets,
            live=wanted.live,
            models=wanted.models,
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
    return code_of(report, allow_skipped=wanted.allow_skipped)


def code_of(report: Report, *, allow_skipped: bool) -> int:
    """The exit code: 0 only when every check passed, or those that did not may be missing."""
    if report.failed:
        return FAILED
    return PRECONDITION if report.skipped and not allow_skipped else OK


def show(outcome: Outcome) -> None:
    """Prints how a check ended."""
    mark, style = ("✗", "bold red") if outcome.failed else ("✓", "green")
    if outcome.skipped:
        mark, style = "○", "yellow"
    elif not outcome.applicable:
        mark, style = "–", "dim"
    first, *rest = output.safe(outcome.detail).splitlines() or [""]
    plain = "" if outcome.failed else "yellow" if outcome.skipped else "dim"
    output.styled(
        (f"{mark} ", style), (outcome.name.ljust(_WIDTH), "bold" if outcome.applicable else "dim"), (first, plain)
    )
    for line in rest:
        output.styled((" " * (_WIDTH + 2) + line, "dim"))
    if outcome.advice:
        output.styled((" " * (_WIDTH + 2), ""), ("hint", "bold cyan"), (f": {outcome.advice}", ""))


def _sum_up(report: Report) -> None:
    count, failed = len(report.outcomes), len(report.failed)
    seconds = sum(outcome.seconds for outcome in report.outcomes)
    asides = {
        "skipped": len(report.skipped),
        "not applicable": sum(not outcome.applicable for outcome in report.outcomes),
    }
    aside = "".join(f", {number} {what}" for what, number in asides.items() if number)
    passed = count - failed - len(report.skipped)
    verdict = (f"{failed} of {count} checks failed", "bold red")
    if not failed:
        verdict = (f"{passed} checks passed", "bold yellow" if report.skipped else "bold green")
    output.styled((f"{report.provider}: ", "bold"), verdict, (f"{aside} ({seconds:.1f} s)", "dim"))
    if report.skipped and not failed:
        output.note(
            "hint: give the keys as variables of their names; "
            "--allow-skipped takes it as it is; conformance.upstream in the manifest does without keys"
        )
