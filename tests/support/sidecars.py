"""Sidecars started as the broker starts them, for tests that need one without a broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

NONCE = "test-instance"


@contextlib.asynccontextmanager
async def sidecar(folder: Path, entry: str, provider_id: str, nonce: str = NONCE) -> AsyncIterator[str]:
    """A Python sidecar of this environment; gives its gRPC target, closes its lifeline at the end."""
    with tempfile.TemporaryDirectory(prefix="mc-") as sockets:
        target = f"unix:{sockets}/s"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mediaconduit_provider",
            entry,
            cwd=folder,
            env={
                **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
                "MEDIACONDUIT_LISTEN": target,
                "MEDIACONDUIT_INSTANCE": nonce,
                "MEDIACONDUIT_LIFELINE": "stdin",
                "MEDIACONDUIT_PROVIDER": provider_id,
                "MEDIACONDUIT_PROVIDER_VERSION": "1.0.0",
            },
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            yield target
        finally:
            process.stdin.close()
            await process.stdin.wait_closed()
            async with asyncio.timeout(10):
                await process.wait()
