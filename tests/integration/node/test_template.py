"""`mediaconduit new --lang node` makes a provider that passes its own tests."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from mediaconduit_broker.scaffold.create import create


@pytest.mark.timeout(300)  # its development packages may have to be fetched
async def test_a_new_provider_passes_its_own_tests(tmp_path: Path) -> None:
    made = create("loud-cow", tmp_path, "node")
    command = (sys.executable, "-m", "mediaconduit_broker.cli", "exec", ".", "--", "npm", "test")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=made.folder,
        env={
            **os.environ,
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "MEDIACONDUIT_STATE_DIR": str(tmp_path / "state"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "# pass 5" in output.decode()
