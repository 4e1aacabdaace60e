"""`mediaconduit test` hands keys over as a broker does, and finds providers that are careless with them."""

from __future__ import annotations

import os
from pathlib import Path

from mediaconduit_broker.conformance import run_conformance
from mediaconduit_broker.state import StateFolder

from tests.support.brokers import PROVIDERS


async def test_a_provider_that_logs_its_key_is_found(tmp_path: Path, environments: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "environments").symlink_to(environments)
    report = await run_conformance(
        "./keys",
        settings={},
        base=PROVIDERS,
        state=StateFolder(tmp_path / "state"),
        environ={**os.environ, "KEYS_TOKEN": "sk-that-must-not-be-logged", "KEYS_OTHER": "another-key"},
        only=("start", "secrets"),
    )
    outcomes = {outcome.name: outcome for outcome in report.outcomes}
    assert outcomes["start"].passed, "its code got what it needs"
    assert not outcomes["secrets"].passed
    assert outcomes["secrets"].detail == "the value of a secret stands in its log"
