"""Every piece of Python in the guide to vendors does what it says, at a vendor made up; so do its commands."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mediaconduit_vendors.testing import Reply, Request, Upstream, sse
from mediaconduit_vendors.testing.openai import routes

from tests.support.brokers import broker, load

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/vendors-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
COMMANDS = re.findall(r"^\$ (mediaconduit (?!up).+)$", PAGE, re.M)
MODELS = sorted(set(re.findall(r'mc\.model\("openai/([^"]+)"\)', PAGE)))
KEY = "sk-made-up-0123456789"


def calls_a_tool(request: Request) -> Reply:
    """A chat that asks for the weather where it can, and answers else."""
    asked = request.json
    if not asked.get("tools") or asked["messages"][-1]["role"] == "tool":
        answer: Reply = ANSWERS["POST /v1/chat/completions"](request)  # type: ignore[operator]
        return answer
    call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": '{"city": "Cologne"}'}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    return sse({"id": "c1", "model": "m", "choices": [choice]}, "[DONE]")


ANSWERS = routes(["/v1"], MODELS)


@pytest.fixture
async def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A broker with the provider loaded, its vendor made up."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with (
        Upstream({**ANSWERS, "POST /v1/chat/completions": calls_a_tool}) as upstream,
        broker(tmp_path / "state") as (served, client),
    ):
        await load(client, str(ROOT / "providers/openai"))
        await client.provider("openai").configure({"base_url": f"{upstream.url}/v1"})
        yield served.address
        upstream.problems.clear()


def test_all_capabilities_are_shown() -> None:
    assert len(BLOCKS) == 9
    assert len(MODELS) == 8


async def test_its_python_runs(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(PNG)
    for block in BLOCKS:
        source = block.replace("connect()", f"connect({address!r})")
        scope: dict[str, Any] = {}
        exec(f"async def main():\n{textwrap.indent(source, '    ')}", scope)
        async with asyncio.timeout(60):
            await scope["main"]()
    assert {path.name for path in tmp_path.glob("*.*")} >= {"fox.png", "night.png", "hello.mp3", "fox.mp4"}
    printed = capsys.readouterr().out
    assert "options.text.temperature" in printed
    assert "The quick brown fox" in printed


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636000000002000148afa471"
    "0000000049454e44ae426082"
)


async def test_its_commands_run(address: str, tmp_path: Path) -> None:
    program = tmp_path / "bin/mediaconduit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mediaconduit_broker.cli "$@"\n')
    program.chmod(0o755)
    environ = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "MEDIACONDUIT_BROKER": address}
    commands = [command for command in COMMANDS if " add " not in command]  # it is loaded already
    assert len(commands) == 3
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, f"{command}\n{output.decode()}"
        if "inspect" in command:
            assert "accepted" in output.decode()
