"""Node providers keep to the contract: the suite that every provider passes."""

from __future__ import annotations

import os
from pathlib import Path

from mediaconduit_broker.conformance import Report, run_conformance
from mediaconduit_broker.state import StateFolder

from tests.support.brokers import PROVIDERS

from .upstream import Upstream, upstream

__all__ = ["upstream"]


async def conform(tmp_path: Path, environments: Path, source: str, **options: object) -> Report:
    state = tmp_path / "state"
    state.mkdir()
    (state / "environments").symlink_to(environments)
    variables = options.pop("variables", {})
    environ = {**os.environ, **variables}  # type: ignore[dict-item]
    return await run_conformance(source, base=PROVIDERS, state=StateFolder(state), environ=environ, **options)  # type: ignore[arg-type]


def explained(report: Report) -> str:
    return "\n".join(f"{outcome.name}: {outcome.detail}" for outcome in report.failed)


async def test_a_provider_in_typescript_passes_every_check(tmp_path: Path, environments: Path) -> None:
    variables = {"TYPESCRIPT_KEY": "key-of-a-test"}
    report = await conform(tmp_path, environments, "./typescript", variables=variables, settings={})
    assert not report.failed, explained(report)
    assert len(report.outcomes) > 20


async def test_an_original_provider_passes_every_check(tmp_path: Path, environments: Path, upstream: Upstream) -> None:
    upstream.on("GET /health", {"ok": True})
    upstream.on("POST /cowsay", lambda asked: {"cowsayOutput": f"< {asked.json['text']} >"})
    settings = {"service_url": upstream.url}
    report = await conform(tmp_path, environments, "./originals/cowsay", settings=settings)
    assert not report.failed, explained(report)
