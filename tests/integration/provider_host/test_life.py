"""A sidecar's life: loading, ready, draining, gone."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path

import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit.errors import Reason

from .conftest import PREFIX, Sidecar, collect, error_of, request, running, text_of, until_text

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def health(sidecar: Sidecar, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(sidecar.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), wait_for_ready=True)
    return int(answer.status)


@pytest.mark.parametrize("entry", ["SlowSetup", "BlockingSetup"])
async def test_it_is_live_but_not_ready_while_setup_loads(folder: Path, entry: str) -> None:
    go = folder / "go"
    async with running(folder, f"plain_provider:{entry}", wait=False, GO=str(go)) as sidecar:
        assert await health(sidecar, "") == SERVING
        assert await health(sidecar, "mediaconduit.v1.MediaProvider") == NOT_SERVING
        assert (await sidecar.describe()).provider_id == "sample"
        error = await sidecar.fails("default")
        assert (error.code, error.reason) == ("UNAVAILABLE", Reason.PROVIDER_NOT_READY)
        assert error.metadata["state"] == "LOADING" and error.retryable
        go.touch()
        await sidecar.until_health(SERVING)
        assert text_of(await sidecar.events("default", "now")) == "now"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("nowhere:Provider", "No module named 'nowhere'"),
        ("plain_provider:Missing", "not a subclass"),
        ("plain_provider:NotAProvider", "not a subclass"),
        ("plain_provider:FailingConstructor", "no licence"),
        ("plain_provider:FailingSetup", "no model file"),
        ("plain_provider:WrongOption", "text.temprature"),
    ],
)
async def test_a_provider_that_cannot_start_exits_with_70_and_says_why(folder: Path, entry: str, said: str) -> None:
    async with running(folder, entry, wait=False) as sidecar:
        assert await sidecar.process.wait() == 70
        log = sidecar.log.read_text()
        assert said in log and all(line.startswith("<") for line in log.splitlines())


@pytest.mark.parametrize(
    "environment",
    [{"MEDIACONDUIT_LIFELINE": "stdout"}, {"MEDIACONDUIT_LISTEN": "unix:/nowhere/s"}, {"MEDIACONDUIT_LISTEN": "x:y:z"}],
    ids=["lifeline", "no-folder", "no-address"],
)
async def test_a_wrong_environment_exits_with_64(folder: Path, environment: dict[str, str]) -> None:
    async with running(folder, "plain_provider:Plain", wait=False, **environment) as sidecar:
        assert await sidecar.process.wait() == 64


async def test_a_wrong_command_line_exits_with_64(folder: Path) -> None:
    async with running(folder, "plain_provider", wait=False) as sidecar:
        assert await sidecar.process.wait() == 64


async def test_a_port_in_use_exits_with_64(folder: Path, sidecar: Sidecar) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        other = folder / "other"
        other.mkdir()
        async with running(other, "plain_provider:Plain", wait=False, MEDIACONDUIT_LISTEN=address) as second:
            assert await second.process.wait() == 64
            assert address in second.log.read_text()


async def test_a_stale_socket_is_replaced_and_private(folder: Path) -> None:
    (folder / "s").touch()
    async with running(folder, "plain_provider:Plain"):
        mode = (folder / "s").stat().st_mode
        assert stat.S_ISSOCK(mode) and not mode & 0o077


async def test_sigterm_drains_running_calls_end_and_new_ones_are_refused(sidecar: Sidecar) -> None:
    call = sidecar.call("cleans_up", "hi")
    await until_text(call)
    sidecar.process.send_signal(signal.SIGTERM)
    await sidecar.until_health(NOT_SERVING)
    error = await sidecar.fails("shout")
    assert (error.code, error.reason) == ("UNAVAILABLE", Reason.PROVIDER_DRAINING)
    assert await call.read(), "a running call goes on"
    call.cancel()
    assert await sidecar.process.wait() == 0
    assert "closed by the host" in sidecar.log.read_text()


async def test_sigterm_without_calls_ends_at_once(sidecar: Sidecar) -> None:
    sidecar.process.terminate()
    assert await sidecar.process.wait() == 0
    assert not Path(sidecar.target.removeprefix("unix:")).exists()


async def test_a_second_sigterm_does_not_wait_for_calls(sidecar: Sidecar) -> None:
    call = sidecar.call("silent", "hi")
    await call.read()
    sidecar.process.terminate()
    await sidecar.until_health(NOT_SERVING)
    sidecar.process.terminate()
    assert (await error_of(call)).code == "UNAVAILABLE"
    assert await sidecar.process.wait() == 0


async def test_the_end_of_the_lifeline_cancels_calls_and_closes_the_provider(sidecar: Sidecar) -> None:
    call = sidecar.call("silent", "hi")
    await call.read()
    assert sidecar.process.stdin is not None
    sidecar.process.stdin.close()
    assert await sidecar.process.wait() == 0
    assert "closed by the host" in sidecar.log.read_text()
    await error_of(call)


async def test_the_end_of_the_lifeline_ends_even_a_blocked_loop(folder: Path) -> None:
    async with running(folder, "plain_provider:BlocksTheLoop") as sidecar:
        call = sidecar.call("default", "hi")
        await until_text(call)
        assert sidecar.process.stdin is not None
        sidecar.process.stdin.close()
        assert await sidecar.process.wait() == 0
        await error_of(call)


async def test_without_a_lifeline_stdin_means_nothing(folder: Path) -> None:
    stdin = asyncio.subprocess.DEVNULL
    async with running(folder, "plain_provider:Plain", stdin=stdin, MEDIACONDUIT_LIFELINE="") as sidecar:
        assert text_of(await sidecar.events("default", "hi")) == "hi"
        sidecar.process.terminate()
        assert await sidecar.process.wait() == 0


async def test_children_of_the_author_do_not_outlive_the_sidecar(sidecar: Sidecar) -> None:
    pids = [int(pid) for pid in text_of(await sidecar.events("spawns")).split()]
    children = [psutil.Process(pid) for pid in pids]
    assert [os.getpgid(pid) == sidecar.process.pid for pid in pids] == [True, False]
    assert sidecar.process.stdin is not None
    sidecar.process.stdin.close()
    await sidecar.process.wait()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 3)
    assert not alive and len(gone) == 2


async def test_temporary_files_end_with_the_sidecar(folder: Path) -> None:
    temporary = folder / "tmp"
    temporary.mkdir()
    async with running(folder, TMPDIR=str(temporary)) as sidecar:
        call = sidecar.call("keeps_a_file", "hi")
        made = Path(await until_text(call))
        assert made.is_relative_to(temporary) and made.exists()
        assert sidecar.process.stdin is not None
        sidecar.process.stdin.close()
        assert await sidecar.process.wait() == 0
        assert not list(temporary.iterdir())
        await error_of(call)


async def test_it_listens_on_tcp_too(folder: Path) -> None:
    import socket

    from mediaconduit.channels import open_channel
    from mediaconduit.v1 import provider_pb2_grpc

    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    async with (
        running(folder, "plain_provider:Plain", wait=False, MEDIACONDUIT_LISTEN=address),
        open_channel(address) as channel,
    ):
        stub = provider_pb2_grpc.MediaProviderStub(channel)
        call = stub.Transform(request(PREFIX + "default", "over tcp"), wait_for_ready=True)
        assert text_of(await collect(call)) == "over tcp"
