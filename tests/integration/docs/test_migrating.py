"""The walk through a migration: its files, its commands and what they are said to print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit_broker.environments.node import HOST

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/migrating.md").read_text(encoding="utf-8")
COMMAND = f"{sys.executable} -m mediaconduit_broker.cli"


def files() -> dict[str, str]:
    """The files the page shows, each below its name."""
    return dict(re.findall(r"^`(loud-provider/\S+)`\n\n```\w+\n(.*?)^```", PAGE, re.M | re.S))


def steps() -> list[tuple[str, list[str]]]:
    """Commands in their order, each with the lines it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line:
                found[-1][1].append(line)
    return found


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of somebody whose broker runs."""
    program = tmp_path / "bin/mediaconduit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {COMMAND} "$@"\n')
    program.chmod(0o755)
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("MEDIACONDUIT_", "XDG_", "LOUD_"))}
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    plain |= {
        "PATH": f"{program.parent}:{plain['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "UV_CACHE_DIR": cache,
    }
    up = [program, "up", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(up, env=plain, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = re.search(r"serves on (\S+)", process.stdout.readline())
    assert address is not None
    yield plain | {"MEDIACONDUIT_BROKER": address[1].rstrip(",")}
    process.terminate()
    process.communicate(timeout=30)


def test_the_page_shows_three_files_and_every_command_of_a_migration() -> None:
    assert [name.rpartition("/")[2] for name in files()] == ["MediaConduit.provider.yml", "package.json", "index.ts"]
    assert len(steps()) == 7


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm: not on this machine")
@pytest.mark.skipif(not (HOST / "provider.tgz").is_file(), reason="the Node host is not built: make node-host")
@pytest.mark.timeout(300)
def test_the_walk_can_be_walked(environ: dict[str, str], tmp_path: Path) -> None:
    for name, text in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for command, printed in steps():
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == ("publish" in command), f"{command}\n{done.stdout}\n{done.stderr}"
        if printed:
            assert [line for line in done.stdout.splitlines() if line] == printed, command
