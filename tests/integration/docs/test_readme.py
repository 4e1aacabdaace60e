"""Every command and every piece of Python in the README does what it says."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL_ONLY = ("make setup && source .venv/bin/activate",)
"""What a test cannot do: it runs in the environment these make."""
THIS_RUN = ("make test", "make lint", "make bench", ".ci/run")
"""Run by CI itself, of which this test is a part."""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.S)


def commands() -> list[str]:
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return [line.split(" #")[0].strip() for line in lines]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody who has just set up: its variables. A broker runs on the README's address."""
    home = tmp_path_factory.mktemp("home")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MEDIACONDUIT_", "XDG_"))}
    # Environments of providers belong to the state folder; packages come from the cache that is there.
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    # Of root it would not be below home.
    environ |= {"XDG_STATE_HOME": str(home / ".local" / "state")}
    environ |= {"HOME": str(home), "UV_CACHE_DIR": cache, "PATH": f"{Path(sys.executable).parent}:{environ['PATH']}"}
    process = subprocess.Popen(["mediaconduit", "up"], env=environ, cwd=home, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "serves on 127.0.0.1:50051" in process.stdout.readline()
    yield environ
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.timeout(300)
def test_every_command_of_the_readme_works(shell: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path
    for command in commands():
        if command in SHELL_ONLY or command in THIS_RUN or command == "mediaconduit up":
            continue
        if command == "make demo":
            run([ROOT / "scripts" / "demo", tmp_path / "demo-output"], shell, ROOT)
            continue
        command, _, into = command.partition(" && cd ")
        run(["bash", "-c", command], shell, folder)
        folder = folder / into
    assert (tmp_path / "hello.wav").read_bytes()[:4] == b"RIFF"
    assert {path.name for path in (tmp_path / "demo-output").iterdir()} == {
        "cow.txt",
        "frame.png",
        "speech.mp4",
        "speech.wav",
    }


def run(command: list[object], environ: dict[str, str], folder: Path) -> str:
    done = subprocess.run([str(part) for part in command], env=environ, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_targets_the_readme_names_exist() -> None:
    named = set(re.findall(r"[`$] ?make ([a-z-]+)", README))
    help_ = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name for name in named if not re.search(rf"^  {name} ", help_, re.M)} == set()


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


async def test_python_against_a_broker_prints_what_the_model_says(
    shell: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (client,) = [block for block in blocks("python") if "connect(" in block]
    await asyncio.to_thread(run, ["mediaconduit", "provider", "add", "cowsay"], shell, ROOT)
    await program(client)
    assert "hello" in capsys.readouterr().out


async def program(code: str) -> None:
    """Runs code as the body of an async function."""
    names: dict[str, object] = {}
    exec("async def main():\n" + textwrap.indent(code, "    "), names)
    await names["main"]()  # type: ignore[operator]


async def test_the_provider_of_the_readme_is_complete(tmp_path: Path) -> None:
    (code,) = [block for block in blocks("python") if "class Shout" in block]
    (manifest,) = blocks("yaml")
    (tmp_path / "shout_provider.py").write_text(code)
    (tmp_path / "MediaConduit.provider.yml").write_text(manifest)
    checks = [sys.executable, "-m", "mediaconduit_broker.cli", "test", str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, checks, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("go") is None, reason="go: not on this machine")
def test_go_in_the_readme_is_what_the_client_does() -> None:
    (snippet,) = blocks("go")
    client = (ROOT / "tests" / "clients" / "go" / "main.go").read_text()
    for call in ("grpc.NewClient(", "NewMediaProviderClient(", ".Transform(", ".Recv()", "io.EOF"):
        assert call in snippet
        assert call in client
