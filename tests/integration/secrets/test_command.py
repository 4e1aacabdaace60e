"""Secrets that a command gives: real processes."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest
from mediaconduit_broker.secrets import CommandSource, Secret, SecretStore

ECHO = (sys.executable, "-c", "import sys; print('answer for', sys.argv[1])", "{name}")


def command(*code: str, timeout: float = 20.0) -> CommandSource:
    return CommandSource([sys.executable, "-c", *code, "{name}"], {"PATH": os.environ["PATH"]}, timeout)


async def test_a_command_answers_on_stdout_and_sees_no_shell() -> None:
    source = CommandSource(ECHO, {}, 20.0)
    assert await source.find("A;echo") == Secret("answer for A;echo")


async def test_a_command_that_fails_means_that_there_is_none() -> None:
    found = await SecretStore([command("import sys; print('half'); sys.exit(3)")]).find(["KEY"])
    assert (dict(found.values), found.missing) == ({}, ("KEY",))
    assert found.warnings == ("the secrets command ended with code 3 for KEY",)


async def test_a_command_that_is_not_there_is_said_so() -> None:
    found = await SecretStore([CommandSource(["/nonexistent/pass"], {}, 20.0)]).find(["KEY"])
    assert found.warnings == ("the secrets command could not be started: No such file or directory",)


async def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    os.mkfifo(tmp_path / "pid")
    looking = asyncio.ensure_future(SecretStore([command(code, timeout=60.0)]).find(["KEY"]))
    child = psutil.Process(int(await asyncio.to_thread((tmp_path / "pid").read_text)))
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await asyncio.to_thread(psutil.wait_procs, [child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


async def test_a_command_has_a_deadline() -> None:
    found = await SecretStore([command("import time; time.sleep(60)", timeout=0.2)]).find(["KEY"])
    assert found.warnings == ("the secrets command took longer than 0.2 s for KEY",)


async def test_a_command_that_never_stops_talking_is_cut() -> None:
    found = await SecretStore([command("while True: print('x' * 9999)")]).find(["KEY"])
    assert found.warnings == ("the secrets command's answer for KEY is larger than 64 KiB",)
