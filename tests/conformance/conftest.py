"""The suite as its command runs it; environments are built once a session."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uv
from mediaconduit_broker.conformance import Report, run_conformance
from mediaconduit_broker.state import StateFolder

ROOT = Path(__file__).parents[2]
CARGO = ROOT / ".cache/cargo"
"""Crates are compiled once for all providers in Rust, and for all runs."""

Conform = Callable[..., Awaitable[Report]]


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    return StateFolder(tmp_path_factory.mktemp("state"))


async def conforming(
    state: StateFolder, source: str, *, variables: dict[str, str] | None = None, **options: Any
) -> Report:
    """Runs the checks on a source: `await conforming(state, "cowsay", settings={…}, variables={…})`."""
    # What cargo compiles for one provider serves the others, and the next run.
    environ = {"CARGO_TARGET_DIR": str(ROOT / ".cache/cargo"), **os.environ, **(variables or {})}
    options = {"settings": {}, **options}
    return await run_conformance(source, base=ROOT / "tests/providers", state=state, environ=environ, **options)


@pytest.fixture
def conform(state: StateFolder) -> Conform:
    """`conforming` with this session's state."""
    return functools.partial(conforming, state)


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of a few hundred kilobytes, written by the llama.cpp provider's own tool."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    script = ROOT / "providers/llamacpp/tests/tiny_gguf.py"
    run = (uv.find_uv_bin(), "run", "--quiet", "--no-project", "--isolated", "--with", "gguf>=0.19", "python")
    subprocess.run([*run, str(script), str(path)], check=True, cwd=path.parent)
    return path
