"""Every bundled provider that needs no vendor passes every check. test_vendors.py has the others."""

import shutil
from pathlib import Path

import pytest
from mediaconduit_broker.conformance import Report
from mediaconduit_broker.environments import Permissions
from mediaconduit_broker.manifest import read_manifest
from mediaconduit_broker.sources import catalog

from tests.integration.vendors.matrix import ROWS

from .conftest import Conform

SETTINGS = {"llamacpp": {"threads": 1}}


def explain(report: Report) -> str:
    return "\n".join(f"{outcome.name}: {outcome.detail}" for outcome in report.failed)


@pytest.mark.timeout(600)  # environments may have to be built, their packages fetched
@pytest.mark.parametrize("name", sorted(catalog().keys() - ROWS.keys()))
async def test_a_bundled_provider_passes_every_check(
    name: str, conform: Conform, request: pytest.FixtureRequest
) -> None:
    manifest = read_manifest(catalog()[name])
    if missing := [command[0] for command in manifest.build if shutil.which(command[0]) is None]:
        pytest.skip(f"this machine has no `{missing[0]}`")
    settings: dict[str, object] = dict(SETTINGS.get(name, {}))
    if name == "llamacpp":
        path: Path = request.getfixturevalue("tiny_gguf")
        settings["model_path"] = str(path)
    # Their builds are ours to allow.
    report = await conform(name, settings=settings, permissions=Permissions(build=True))
    assert not report.failed, explain(report)
    seen = {outcome.name: outcome for outcome in report.outcomes}
    assert seen["transform"].applicable
    assert "not tried" not in seen["transform"].detail
    if not manifest.secrets or manifest.conformance.upstream:
        assert report.passed, [(outcome.name, outcome.detail) for outcome in report.skipped]
