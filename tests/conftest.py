"""Categories by folder, a seed that can be repeated, and nothing left behind by any test."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

TESTS = Path(__file__).parent
CATEGORIES = ("unit", "contract", "conformance", "integration", "faults", "clients", "load", "live")
ON_REQUEST = frozenset({"load", "live"})
GRACE_SECONDS = 3.0
"""How long processes, sockets and tasks that are already ending may take to be gone."""
FAILED = pytest.StashKey[bool]()
SEED = os.environ.get("MEDIACONDUIT_TEST_SEED") or str(secrets.randbits(32))


def pytest_report_header() -> str:
    return f"seed: {SEED} (MEDIACONDUIT_TEST_SEED={SEED} repeats it)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks every test with its top folder; load and live run only when named, by -m or by path."""
    asked = {part for argument in config.args for part in Path(argument.split("::")[0]).parts} & ON_REQUEST
    kept, deselected = [], []
    for item in items:
        if TESTS not in item.path.parents:
            kept.append(item)  # a provider's own test, run from here
            continue
        category = item.path.relative_to(TESTS).parts[0]
        if category not in CATEGORIES:
            raise pytest.UsageError(f"{item.nodeid}: tests live in one of tests/{{{','.join(CATEGORIES)}}}/")
        item.add_marker(category)
        on_request = category in ON_REQUEST and category not in asked and not config.option.markexpr
        (deselected if on_request else kept).append(item)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = kept


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers of this test alone; the seed is printed with its failure."""
    print(f"MEDIACONDUIT_TEST_SEED={SEED}")
    return random.Random(f"{SEED}:{request.node.nodeid}")


@pytest.fixture
async def _event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Remembers a failure: its traceback keeps what the test used alive, which is not a second failure."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fails a test that leaves tasks, processes, threads, sockets or files behind; wider fixtures keep theirs."""
    loop: asyncio.AbstractEventLoop | None = None
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        loop = request.getfixturevalue("_event_loop")
    base = str(tmp_path_factory.getbasetemp())
    pids, files, threads = set(psutil.pids()), _descriptors(), set(threading.enumerate())
    yield
    # Narrower fixtures are torn down; their values would keep channels, and so gRPC's sockets, alive.
    request.node.funcargs.clear()
    pause = _pause_in(loop)
    for record in caplog.get_records("setup") + caplog.get_records("call"):
        record.exc_info = None  # holds the frames of a logged exception, and with them a server or channel
    leaks = _left("task", lambda: _tasks(loop), pause)
    leaks += _left("process", lambda: _processes(pids, base), pause, describe=_ended)
    leaks += _left("thread", lambda: _threads(threads), pause)
    if not request.node.stash.get(FAILED, False):
        leaks += _left("socket or file", lambda: sorted(_descriptors() - files), pause)
    if leaks:
        pytest.fail("left behind: " + "; ".join(leaks), pytrace=False)


def _pause_in(loop: asyncio.AbstractEventLoop | None) -> Callable[[], None]:
    """Between two looks: transports of a loop close only while it turns."""
    if loop is None or loop.is_closed():
        return lambda: time.sleep(0.02)
    return lambda: loop.run_until_complete(asyncio.sleep(0.02))


def _left(
    kind: str, look: Callable[[], Iterable[Any]], pause: Callable[[], None], describe: Callable[[Any], str] = str
) -> list[str]:
    """What is still there when the grace is over."""
    if not (found := list(look())):
        return []
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        # gRPC closes sockets when the last reference to a channel or server goes, which may itself be waiting for a
        # thread that is about to end.
        gc.collect()
        if not (found := list(look())) or time.monotonic() > deadline:
            break
        pause()
    return [f"{kind} {describe(thing)}" for thing in found]


def _tasks(loop: asyncio.AbstractEventLoop | None) -> list[str]:
    if loop is None or loop.is_closed():
        return []
    return [f"{task.get_name()} {task.get_coro()}" for task in asyncio.all_tasks(loop)]


def _threads(before: set[threading.Thread]) -> list[str]:
    """Threads that would keep the interpreter alive; gRPC's own are daemons, a loop's executor ends with the loop."""
    new = set(threading.enumerate()) - before
    return [thread.name for thread in new if not thread.daemon and not thread.name.startswith("asyncio_")]


def _descriptors() -> set[tuple[str, str]]:
    """Open sockets, pipes and files as (descriptor, what it is)."""
    opened = set()
    for descriptor in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            opened.add((descriptor, os.readlink(f"/proc/self/fd/{descriptor}")))
        except OSError:
            continue  # the listing's own
    return {(number, target) for number, target in opened if not target.startswith(("anon_inode:", "/dev/"))}


def _processes(before: set[int], base: str) -> list[psutil.Process]:
    """New processes below this one, and orphans that name a folder of this test run."""
    found = []
    for pid in set(psutil.pids()) - before:
        try:
            process = psutil.Process(pid)
            parents = [parent.pid for parent in process.parents()]
            older = next((parent for parent in parents if parent in before), 0)
            orphan = os.getpid() not in parents and older in (0, 1) and base in " ".join(process.cmdline())
            if older == os.getpid() or orphan:
                found.append(process)
        except psutil.Error:
            continue  # gone meanwhile
    return found


def _ended(process: psutil.Process) -> str:
    """Kills it, so that one leak is reported once and outlives no run; says what it was."""
    try:
        text = f"{process.pid} ({process.status()}): {' '.join(process.cmdline())[:200]}"
        process.kill()
    except psutil.Error as error:
        return str(error)
    return text
