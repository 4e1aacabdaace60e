"""A real llama server as a vendor: its own process and environment, a tiny model named "tiny"."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.vendors.sdks import UNREACHABLE

KEY = "sk-made-up"
"""The key it wants."""
MODEL = "tiny"
"""The one model it has. It never stops by itself."""

_SCRIPT = Path(__file__).with_name("llama_server.py")
_GGUF = Path(__file__).parents[3] / "providers" / "llamacpp" / "tests"


@contextlib.asynccontextmanager
async def llama_server(*, calls: bool = False) -> AsyncIterator[str]:
    """Its URL, without a path. Skips the test where its packages cannot be had.

    Args:
        calls: The model does nothing but call tools, if it is given any.
    """
    script = [str(_SCRIPT), str(_GGUF), *(["calls"] if calls else [])]
    inherited = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    process = await asyncio.create_subprocess_exec(
        *("uv", "run", "--quiet", "--no-project", "--python", sys.executable, "--script", *script),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=inherited,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        if not url:
            _, said = await process.communicate()
            if any(word in said.decode().lower() for word in UNREACHABLE):
                pytest.skip("the llama server cannot be installed: no registry is reached")
            raise AssertionError(said.decode())
        yield url
    finally:
        if process.returncode is None:
            process.stdin.close()
            await process.communicate()
