"""The npm package by itself: its own tests, its types, its generated code."""

import asyncio
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


async def run(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        ROOT / "scripts/node-host", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.timeout(300)  # its tools may have to be fetched
async def test_its_own_tests_pass() -> None:
    output = await run("--test")
    assert "# fail 0" in output
    assert "# pass 0" not in output


@pytest.mark.timeout(300)
async def test_its_types_hold_and_its_generated_code_is_fresh() -> None:
    await run("--check")
