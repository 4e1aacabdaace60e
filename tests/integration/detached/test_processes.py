"""Who belongs to a sidecar, asked of the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mediaconduit_broker.keeper import processes

FAR = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(1000)
    os._exit(0)
os.wait()
time.sleep(1000)
"""


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[str]]:
    """A marked process with a descendant that left group, session and parent."""
    process = subprocess.Popen(
        [sys.executable, "-c", FAR],
        stdout=subprocess.PIPE,
        text=True,
        env={"MEDIACONDUIT_INSTANCE": "marked"},
        start_new_session=True,
    )
    with process:
        yield process
        process.kill()
        processes.end_family("marked")


def far_of(leader: subprocess.Popen[str]) -> int:
    assert leader.stdout is not None
    return int(leader.stdout.readline())


def test_an_identity_is_of_one_process_and_ends_with_it(leader: subprocess.Popen[str]) -> None:
    who = processes.identity(leader.pid)
    assert processes.running(leader.pid, who)
    assert not processes.running(os.getpid(), who)
    assert not processes.running(leader.pid, "")
    leader.kill()
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.running(leader.pid, who)  # a zombie does not run


def test_the_mark_finds_those_that_went_far(leader: subprocess.Popen[str]) -> None:
    far = far_of(leader)
    assert processes.family("marked") == {leader.pid, far}
    assert far not in processes.family("another", leader.pid)
    leader.kill()
    leader.wait()
    assert processes.family("marked") == {far}


def test_nobody_older_is_taken_for_its_own(leader: subprocess.Popen[str]) -> None:
    far_of(leader)
    assert processes.family("marked", who="boot:99999999999") == set()


def test_ending_a_family_leaves_nobody(leader: subprocess.Popen[str]) -> None:
    far = far_of(leader)
    assert processes.end_family("marked")
    assert processes.family("marked") == set()
    assert processes.wait_gone([far, leader.pid], 0)


def test_waiting_for_one_that_stays_ends_with_the_time(leader: subprocess.Popen[str]) -> None:
    assert not processes.wait_gone([leader.pid], 0.01)


def test_below_a_wrapper_is_what_it_started(leader: subprocess.Popen[str]) -> None:
    name = Path(f"/proc/{leader.pid}/comm").read_text().strip()
    far_of(leader)
    assert processes.below(leader.pid, "bwrap") == leader.pid
    assert processes.below(leader.pid, name) == leader.pid  # there is nothing but the wrapper
