"""The broker as it is installed elsewhere: from wheels, far from this checkout."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import uv
from mediaconduit import connect

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`mediaconduit` in an environment of its own."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([ROOT / "scripts" / "dist", folder / "dist"], check=True, capture_output=True)
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    binary = uv.find_uv_bin()
    subprocess.run([binary, "venv", "--quiet", folder / "venv"], check=True, env=environ)
    wheels = list((folder / "dist").glob("mediaconduit_broker*.whl"))
    subprocess.run(
        [binary, "pip", "install", "--quiet", "--python", folder / "venv", "--find-links", folder / "dist", *wheels],
        check=True,
        env=environ,
    )
    return folder / "venv" / "bin" / "mediaconduit"


async def test_an_installed_broker_runs_bundled_providers(command: Path, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(command, "up", "--listen", "127.0.0.1:0", "--state-dir", tmp_path / "state"),
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        serving = re.search(r"serves on (\S+)", (await process.stdout.readline()).decode())
        assert serving
        async with connect(serving[1]) as client:
            async for _ in client.broker.load("cowsay"):
                pass
            assert "hello" in (await client.model("cowsay/default").transform("hello")).text
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


def test_wheels_in_the_checkout_are_those_of_its_sources() -> None:
    """Otherwise sidecars would run an older host than the one tested."""
    done = subprocess.run([ROOT / "scripts" / "wheels"], capture_output=True, text=True, check=True)
    again = subprocess.run([ROOT / "scripts" / "wheels"], capture_output=True, text=True, check=True)
    assert (done.returncode, again.stdout) == (0, "")
