"""Official SDKs of vendors as test peers: each runs in an environment of its own, made by uv from the registry.

They are no dependency of anything here; `common` says what their scripts read and write.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from mediaconduit_vendors.testing import Request

HERE = Path(__file__).parent
UNREACHABLE = ("dns error", "failed to fetch", "connection refused", "network is unreachable", "network was disabled")
"""How uv says that there is no registry."""


class Sdk:
    """One SDK, running while the block does.

    Args:
        name: "openai": the script ``openai_sdk.py``.
        log: File for what it says beside its answers.
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        inherited = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        command = ["uv", "run", "--quiet", "--no-project", "--python", sys.executable, "--script"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*command, str(HERE / f"{self.name}_sdk.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**inherited, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    async def ask(self, operation: str, url: str, key: str, model: str, like: Request) -> Any:
        """What the SDK makes of the answer to a request of ours, made anew by it.

        Args:
            operation: One of the script's.
            url: Of the made-up vendor, without a path.
            key: To be sent.
            model: Its bare id.
            like: Our own request: the SDK is called with what is in its body, form and query.

        Raises:
            AssertionError: When the SDK fails, with what it says.
        """
        whole = like.media_type == "application/json"
        fields = [] if whole or not like.body else like.form
        asked = {
            **{"operation": operation, "url": url, "key": key, "model": model, "path": like.path},
            "query": dict(like.query),
            "body": like.json if whole else {},
            "form": [[f.name, f.filename, f.media_type, b64encode(f.data).decode()] for f in fields],
        }
        line = await asyncio.to_thread(self._exchange, json.dumps(asked))
        if not line:
            self._explain_its_end()
        made = json.loads(line)
        assert "error" not in made, made["error"]
        return made

    def _exchange(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return ""
        return self._process.stdout.readline()

    def _explain_its_end(self) -> None:
        said = self._log.read_text(encoding="utf-8", errors="replace")
        if any(word in said.lower() for word in UNREACHABLE):
            pytest.skip(f"{self.name}'s SDK cannot be installed: no registry is reached")
        raise AssertionError(f"{self.name}'s SDK ended: {said}")
