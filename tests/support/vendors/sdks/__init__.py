"""Official SDKs of vendors as test peers: each runs in an environment of its own, made by uv from the registry.

They are no dependency of anything here; `common` says what their scripts read and write.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mediaconduit_vendors.testing import Request

HERE = Path(__file__).parent
UNREACHABLE = ("dns error", "failed to fetch", "connection refused", "network is unreachable")
"""How uv says that there is no registry."""


async def ask(sdk: str, operation: str, url: str, key: str, model: str, like: Request) -> Any:
    """What an SDK makes of the answer to a request of ours, made anew by it.

    Args:
        sdk: "openai": the script ``openai_sdk.py``.
        operation: One of the script's.
        url: Of the made-up vendor, without a path.
        key: To be sent.
        model: Its bare id.
        like: Our own request: the SDK is called with what is in its body and query.

    Raises:
        AssertionError: When the script fails, with what it says.
    """
    script = HERE / f"{sdk}_sdk.py"
    asked = {"operation": operation, "url": url, "key": key, "model": model, "path": like.path}
    asked |= {"body": like.json, "query": dict(like.query)}
    inherited = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    process = await asyncio.create_subprocess_exec(
        *("uv", "run", "--quiet", "--no-project", "--python", sys.executable, "--script", str(script)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        out, err = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = err.decode("utf-8", "replace")
    if process.returncode and any(word in said.lower() for word in UNREACHABLE):
        pytest.skip(f"{sdk}'s SDK cannot be installed: no registry is reached")
    assert process.returncode == 0, said
    return json.loads(out)
