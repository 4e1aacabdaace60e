"""Node providers keep to the contract: the suite that every provider passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
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


ANSWERS = {
    "cowsay": {"POST /cowsay": lambda asked: {"cowsayOutput": f"< {asked.json['text']} >"}},
    "whisper": {"POST /asr": {"text": "moo", "segments": [], "language": "en"}},
    "ollama": {
        "GET /api/tags": {"models": [{"name": "phi3"}]},
        "POST /api/generate": ['{"response": "Hel"}', '{"response": "lo"}'],
        "POST /api/chat": {"message": {"content": "Hello"}},
    },
    "anthropic": {"POST /v1/messages": {"model": "m", "content": [{"text": "Hello"}], "usage": {"input_tokens": 1}}},
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_original_provider_passes_every_check(
    tmp_path: Path, environments: Path, upstream: Upstream, name: str
) -> None:
    upstream.on("GET /health", {"ok": True})
    for route, answer in ANSWERS[name].items():
        upstream.on(route, answer)
    variables = {"ANTHROPIC_API_KEY": "sk-ant-of-a-test", "ANTHROPIC_BASE_URL": f"{upstream.url}/v1"}
    settings = {} if name == "anthropic" else {"service_url": upstream.url}
    report = await conform(tmp_path, environments, f"./originals/{name}", settings=settings, variables=variables)
    assert not report.failed, explained(report)
