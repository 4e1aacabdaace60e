"""Shows whether a provider is fit to be pushed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediaconduit_broker.cli import loading, output, testing
from mediaconduit_broker.conformance import Outcome, Report, formats
from mediaconduit_broker.environments import BuildStep
from mediaconduit_broker.publishing import check_publishable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    allow_skipped: bool
    allow_build: bool
    as_json: bool


async def run(wanted: Wanted, environ: Mapping[str, str]) -> int:
    """Runs the checks, prints them, gives the exit code."""

    def told(news: BuildStep | Outcome) -> None:
        if isinstance(news, BuildStep):
            output.note(news.message)
        elif not wanted.as_json:
            testing.show(news)

    with loading.build_log():
        report = await check_publishable(
            wanted.folder.absolute(),
            settings=wanted.settings,
            secrets=wanted.secrets,
            environ=environ,
            allow_build=wanted.allow_build,
            report=told,
        )
    if wanted.as_json:
        output.print_json(formats.as_json(report))
    else:
        _sum_up(report)
    return testing.code_of(report, allow_skipped=wanted.allow_skipped)


def _sum_up(report: Report) -> None:
    count = len(report.outcomes)
    verdict = ("fit to be pushed", "bold green")
    if report.failed:
        verdict = (f"not yet: {len(report.failed)} of {count} checks failed", "bold red")
    elif report.skipped:
        verdict = (f"{len(report.skipped)} of {count} checks could not be tried", "bold yellow")
    output.styled((f"{report.provider}: ", "bold"), verdict)
