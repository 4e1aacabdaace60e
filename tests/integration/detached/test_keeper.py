"""A keeper without a broker: what it answers, what it keeps, what it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from mediaconduit_broker.keeper import processes
from mediaconduit_broker.keeper.client import (
    KeeperClient,
    KeeperLostError,
    KeeperRefusedError,
    end_keeper,
    start_keeper,
)
from mediaconduit_broker.keeper.protocol import frame

from tests.integration.detached.conftest import gone


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    """Of a keeper that runs; a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="mc-") as parent:
        made = Path(parent) / "keeper"
        made.mkdir(mode=0o700)
        await start_keeper(made, 60, os.environ)
        yield made
        await asyncio.to_thread(end_keeper, made)
        assert not made.exists()
        Path(parent).mkdir(exist_ok=True)  # the keeper took it for the sidecars' and removed it, as it was empty


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[KeeperClient]:
    connected = await KeeperClient.connect(folder, 60)
    yield connected
    await connected.aclose()


async def spawn(client: KeeperClient, code: str, instance: str = "one", **changes: Any) -> int:
    fields = {
        "command": [sys.executable, "-c", code],
        "cwd": "/",
        "environ": {"MEDIACONDUIT_INSTANCE": instance},
        "folders": [],
    }
    return int((await client.ask("spawn", instance=instance, **(fields | changes)))["pid"])


async def follow(client: KeeperClient, instance: str = "one") -> tuple[dict[str, bytes], dict[str, Any]]:
    """All it wrote, by pipe, and its exit."""
    found = {"stdout": b"", "stderr": b""}
    async with asyncio.timeout(20), contextlib.aclosing(client.stream("follow", instance=instance)) as answers:
        async for answer in answers:
            if "exit" in answer:
                return found, answer["exit"]
            found[answer["pipe"]] += base64.b64decode(answer["data"])
    raise AssertionError("no exit")


async def test_output_and_exit_code_are_kept_until_they_are_forgotten(client: KeeperClient) -> None:
    await spawn(client, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    for _ in range(2):  # by whoever asks, as often as they ask
        written, ended = await follow(client)
        assert written == {"stdout": b"out\n", "stderr": b"err\n"}
        assert ended == {"code": 3, "signal": None}
    (listed,) = (await client.ask("list"))["sidecars"]
    assert (listed["instance"], listed["exit"]) == ("one", ended)
    await client.ask("forget", instance="one")
    assert (await client.ask("list"))["sidecars"] == []


async def test_a_signal_is_told(client: KeeperClient) -> None:
    await spawn(client, "import os; os.kill(os.getpid(), 11)")
    assert (await follow(client))[1] == {"code": None, "signal": 11}


async def test_every_end_is_told_to_who_watches_those_of_the_past_too(client: KeeperClient) -> None:
    await spawn(client, "import sys; sys.exit(4)", "past")
    await follow(client, "past")
    async with contextlib.aclosing(client.stream("watch")) as ends:
        assert {**await anext(ends), "id": 0} == {"id": 0, "ended": "past", "code": 4, "signal": None}
        await spawn(client, "import sys; sys.exit(5)", "now")
        assert {**await anext(ends), "id": 0} == {"id": 0, "ended": "now", "code": 5, "signal": None}


@pytest.mark.parametrize(
    ("op", "fields", "code"),
    [
        ("kill", {"instance": "nobody", "signal": "KILL"}, "not_found"),
        ("forget", {"instance": "nobody"}, "not_found"),
        ("follow", {"instance": "nobody"}, "not_found"),
        ("forget", {"instance": "one"}, "running"),
        ("kill", {"instance": "one", "signal": "STOP"}, "invalid"),
        ("fly", {}, "invalid"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_the_connection_stays(
    client: KeeperClient, op: str, fields: dict[str, Any], code: str
) -> None:
    await spawn(client, "input()")
    with pytest.raises(KeeperRefusedError) as caught:
        await client.ask(op, **fields)
    assert caught.value.code == code
    assert await client.ask("renew") == {}


async def test_what_cannot_be_started_is_refused_with_the_reason(client: KeeperClient) -> None:
    with pytest.raises(KeeperRefusedError, match="No such file") as caught:
        await spawn(client, "", command=["/there/is/no/such/program"])
    assert caught.value.code == "not_started"
    await spawn(client, "input()")
    with pytest.raises(KeeperRefusedError) as caught:
        await spawn(client, "input()")
    assert caught.value.code == "exists"


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", struct.pack(">I", 2) + b"[]", b"GET / HTTP/1.1\r\n\r\n"])
async def test_one_that_speaks_nonsense_is_parted_from_and_the_others_stay(
    folder: Path, client: KeeperClient, garbage: bytes
) -> None:
    def talk() -> bytes:
        with socket.socket(socket.AF_UNIX) as other:
            other.settimeout(10)
            other.connect(str(folder / "keeper.sock"))
            other.sendall(garbage)
            return other.recv(10)

    assert await asyncio.to_thread(talk) == b""
    assert await client.ask("renew") == {}


async def test_who_does_not_read_holds_up_nobody(folder: Path, client: KeeperClient) -> None:
    await spawn(client, "import time\nwhile True: print('x' * 99, flush=True)", "noisy")
    with socket.socket(socket.AF_UNIX) as lazy:
        lazy.connect(str(folder / "keeper.sock"))
        lazy.sendall(frame({"id": 1, "op": "follow", "instance": "noisy"}))
        async with contextlib.aclosing(client.stream("follow", instance="noisy")) as answers:
            seen = 0
            async for answer in answers:
                seen += len(answer["data"])
                if seen > 8_000_000:
                    break
        keeper = (await client.ask("hello", protocol=1, lease=60))["pid"]
        assert psutil.Process(keeper).memory_info().rss < 40_000_000


async def test_its_lifeline_and_its_output_do_not_depend_on_a_broker(folder: Path, client: KeeperClient) -> None:
    await spawn(client, "import sys; sys.stdin.readline(); print('at the end')")
    await client.aclose()
    again = await KeeperClient.connect(folder, 60)
    (listed,) = (await again.ask("list"))["sidecars"]
    assert listed["exit"] is None
    assert processes.running(listed["pid"], listed["identity"])
    await again.aclose()
    assert await asyncio.to_thread(end_keeper, folder) == 1
    assert gone(listed["pid"])


async def test_nobody_else_gets_its_descriptors_or_its_settings(client: KeeperClient) -> None:
    code = (
        "import os, signal; print(sorted(map(int, os.listdir('/proc/self/fd')))[:4], os.umask(0), "
        "signal.getsignal(signal.SIGHUP) == signal.SIG_DFL, os.getsid(0) == os.getpid())"
    )
    await spawn(client, code)
    written, _ = await follow(client)
    mask = os.umask(0)
    os.umask(mask)
    assert written["stdout"].decode() == f"[0, 1, 2, 3] {mask} True True\n"  # 3 lists the folder


async def test_a_second_keeper_leaves_the_folder_to_the_first(folder: Path, client: KeeperClient) -> None:
    first = (await client.ask("hello", protocol=1, lease=60))["pid"]
    await start_keeper(folder, 60, os.environ)
    other = await KeeperClient.connect(folder, 60)
    assert (await other.ask("hello", protocol=1, lease=60))["pid"] == first
    await other.aclose()


async def test_another_version_is_told_and_its_lease_left_alone(client: KeeperClient) -> None:
    assert (await client.ask("hello", protocol=99, lease=0.001))["protocol"] == 1
    assert await client.ask("renew") == {}


async def test_sidecars_that_ignore_everything_are_killed_at_its_end(client: KeeperClient) -> None:
    await spawn(
        client,
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(1000)",
    )
    async with contextlib.aclosing(client.stream("follow", instance="one")) as answers:
        await anext(answers)
    async with contextlib.aclosing(client.stream("watch")) as ends:
        assert await client.ask("shutdown") == {"sidecars": 1}
        assert (await anext(ends))["signal"] == signal.SIGKILL
        with pytest.raises(KeeperLostError):
            await anext(ends)


async def test_one_that_does_not_answer_is_killed_and_its_sidecars_end(folder: Path, client: KeeperClient) -> None:
    pid = await spawn(client, "import sys; sys.stdin.read()")
    keeper = (await client.ask("hello", protocol=1, lease=60))["pid"]
    os.kill(keeper, signal.SIGSTOP)
    assert await asyncio.to_thread(end_keeper, folder, 0.1) == 0
    assert gone(keeper, pid)
    shutil.rmtree(folder)


async def test_a_signal_ends_it_in_order(folder: Path, client: KeeperClient) -> None:
    pid = await spawn(client, "import sys; sys.stdin.read()")
    keeper = (await client.ask("hello", protocol=1, lease=60))["pid"]
    os.kill(keeper, signal.SIGTERM)
    assert await asyncio.to_thread(gone, keeper, pid)
    assert not folder.exists()


def test_it_imports_nothing_but_the_standard_library_and_is_small() -> None:
    code = (
        "import sys, mediaconduit_broker.keeper.keeper\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('grpc', 'google', 'asyncio', 'mediaconduit',"
        " 'psutil', 'structlog', 'msgspec')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


async def test_it_stays_small(client: KeeperClient) -> None:
    keeper = (await client.ask("hello", protocol=1, lease=60))["pid"]
    assert psutil.Process(keeper).memory_info().rss < 20_000_000
