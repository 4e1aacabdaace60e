"""What ``mediaconduit new`` makes passes every check, in every language."""

import shutil
from pathlib import Path

import pytest
from mediaconduit_broker import scaffold
from mediaconduit_broker.environments import Permissions
from mediaconduit_broker.environments.node import HOST as NODE_HOST

from .conftest import Conform

TOOLS = {"python": "python3", "node": "npm", "go": "go", "rust": "cargo"}


@pytest.mark.timeout(600)  # Rust is compiled whole where nothing of it is cached
@pytest.mark.parametrize("language", scaffold.LANGUAGES)
async def test_a_new_provider_passes_every_check(language: str, conform: Conform, tmp_path: Path) -> None:
    if shutil.which(TOOLS[language]) is None:
        pytest.skip(f"{TOOLS[language]}: not on this machine")
    if language == "node" and not (NODE_HOST / "provider.tgz").is_file():
        pytest.skip("the Node host is not built: make node-host")
    made = scaffold.create("fresh", tmp_path, language)
    report = await conform(str(made.folder), permissions=Permissions(build=made.builds))
    assert [(outcome.name, outcome.detail) for outcome in report.outcomes if not outcome.passed] == []
