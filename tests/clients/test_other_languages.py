"""Clients in other languages, built from protos/ with their own tools, against a running server."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mediaconduit.errors import Reason

from tests.support.brokers import broker, load

if TYPE_CHECKING:
    from conftest import Scripted, Target

RUN = [sys.executable, str(Path(__file__).parent / "run")]
NO_TOOLCHAIN = 77
TEXT = "the cat and the hat – ünïcödé"

# Building from nothing fetches the libraries of a language and compiles them.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="session", params=["go", "node", "rust", "java"])
def client(request: pytest.FixtureRequest) -> list[str]:
    """The command of a client that was just built."""
    language = request.param
    built = subprocess.run([*RUN, language], stderr=subprocess.PIPE, text=True, check=False)
    if built.returncode == NO_TOOLCHAIN:
        pytest.skip(built.stderr.strip())
    assert built.returncode == 0, f"the {language} client does not build:\n{built.stderr}"
    return [*RUN, language, "--"]


@asynccontextmanager
async def started(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A client that does not outlive its test."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(*command: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    async with started(*command) as process:
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_streams_an_answer_cancels_another_and_reads_a_typed_error(client: list[str], target: Target) -> None:
    code, out, err = await run(*client, target.address, target.model, TEXT)

    assert (code, err) == (0, "")
    answer, completed, cancelled, error = out.splitlines()
    assert answer.startswith(TEXT)
    assert re.fullmatch(r"completed: FINISH_REASON_[A-Z]+ \d+ events", completed)
    assert re.fullmatch(r"cancelled after [1-9]\d* events", cancelled)
    assert error == "error: MODEL_NOT_FOUND"
    await target.cancellation_seen()


async def test_prints_every_part_of_the_answer_and_counts_its_events(client: list[str], address: str) -> None:
    _, out, _ = await run(*client, address, "silent", "tick tock")

    # `started`, 64 words between the two events of their output, two of the whole output, `completed`.
    assert out.splitlines()[:2] == [
        " ".join(["tick tock"] * 32) + " (whole)",
        "completed: FINISH_REASON_LENGTH 70 events",
    ]


async def test_prints_the_text_as_it_comes(client: list[str], address: str, scripted: Scripted) -> None:
    async with started(*client, address, "gated", TEXT) as process:
        assert process.stdout is not None
        assert await process.stdout.readexactly(len("the")) == b"the"  # and the model has not gone on
        assert not scripted.gate.is_set()
        scripted.gate.set()
        assert (await process.stdout.readline()).decode().startswith(TEXT.removeprefix("the"))


async def test_fails_when_the_answer_has_no_end(client: list[str], address: str) -> None:
    code, out, err = await run(*client, address, "headless", TEXT)

    assert code == 1
    assert "completed:" not in out
    assert "no end" in err


async def test_fails_when_the_error_is_another(client: list[str], address: str, scripted: Scripted) -> None:
    scripted.unknown_model = Reason.PROVIDER_NOT_FOUND

    code, out, err = await run(*client, address, "silent", TEXT)

    assert code == 1
    assert "error:" not in out
    assert "there is no model" in err


async def test_fails_where_no_server_is(client: list[str]) -> None:
    code, out, err = await run(*client, "127.0.0.1:1", "silent", TEXT)

    assert (code, out) == (1, "")
    assert err.startswith("failed: ")


async def test_works_through_a_broker_and_its_cancel_reaches_the_sidecar(client: list[str], tmp_path: Path) -> None:
    async with broker(tmp_path / "state") as (served, admin):
        await load(admin, "./faulty")
        code, out, err = await run(*client, served.address, "faulty/words", "tick tock")

        assert (code, err) == (0, "")
        answer, completed, cancelled, error = out.splitlines()
        assert answer.split() == ["tick", "tock"] * 32
        assert completed.startswith("completed: ")
        assert cancelled.startswith("cancelled after ")
        assert error == "error: MODEL_NOT_FOUND"
        async with asyncio.timeout(10):
            while (await admin.provider("faulty").describe()).active_calls:
                pass  # describing asks the sidecar each time
