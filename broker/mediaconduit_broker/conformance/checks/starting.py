"""Whether it starts as it is told to, in the ways that the bench itself does not need."""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
from collections.abc import Mapping
from typing import Any, Final

import grpc
from mediaconduit import tasks
from mediaconduit.channels import LOCAL_OPTIONS
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc

from mediaconduit_broker.conformance import children
from mediaconduit_broker.conformance.bench import Bench
from mediaconduit_broker.conformance.check import CheckFailedError, check, require
from mediaconduit_broker.secrets import told

_USAGE: Final = 64
_LINGER_SECONDS: Final = 0.3
"""Whoever takes the end of its stdin for a lifeline has ended by then."""
_EXIT_SECONDS: Final = 15.0


@check(
    "bootstrap",
    demand="It serves at a TCP address as well; without MEDIACONDUIT_LIFELINE the end of its stdin means nothing, "
    "and SIGTERM ends it; an address that it cannot serve at ends it with 64.",
    advice="Read MEDIACONDUIT_LISTEN as unix:/path or host:port, and stdin only where MEDIACONDUIT_LIFELINE says so: "
    "containers and service managers start it with neither. Exit with 64 when the environment is wrong.",
)
async def bootstrap(bench: Bench) -> str:
    """The same provider runs under a broker, in a container, and by hand."""
    await _serves_at_tcp(bench)
    with tempfile.TemporaryDirectory(prefix="mediaconduit-") as folder:
        # Below a file there is no place for a socket, whoever asks.
        code = await _exit_code(bench, f"unix:{_file_in(folder)}/socket")
    require(code is not None, f"it still ran {_EXIT_SECONDS:g} s after it was given an address it cannot serve at")
    require(code == _USAGE, f"given an address it cannot serve at it {_ended(code or 0)}, not with {_USAGE}")
    return "TCP, no lifeline, a wrong address"


async def _serves_at_tcp(bench: Bench) -> None:
    subject, address = bench.subject, f"127.0.0.1:{_free_port()}"
    variables = _variables(bench, address)
    async with children.running(subject.command, folder=subject.folder, environ=variables) as process:
        ended = tasks.start(process.wait(), name="end of a sidecar at TCP")
        try:
            await _answers(address, ended, subject.start_timeout)
            await asyncio.wait([ended], timeout=_LINGER_SECONDS)
            if ended.done():
                raise CheckFailedError(f"without a lifeline it {_ended(ended.result())} when its stdin was at its end")
            process.terminate()
            await asyncio.wait([ended], timeout=_EXIT_SECONDS)
            require(ended.done(), f"without a lifeline it still ran {_EXIT_SECONDS:g} s after SIGTERM")
        finally:
            await tasks.cancel_and_join(ended)


async def _answers(address: str, ended: asyncio.Task[int], seconds: float) -> None:
    answer = tasks.start(_describe(address, seconds), name="first answer at TCP")
    try:
        await asyncio.wait([ended, answer], return_when=asyncio.FIRST_COMPLETED)
        require(answer.done(), f"told to serve at {address} it {_ended(ended.result() if ended.done() else 0)}")
        answer.result()
    except grpc.aio.AioRpcError as error:
        raise CheckFailedError(f"it does not answer at the TCP address it was given: {error.code().name}") from None
    finally:
        await tasks.cancel_and_join(answer)


async def _describe(address: str, seconds: float) -> None:
    # A new sidecar's port is there in a moment; by default gRPC tries again after a second only.
    channel = grpc.aio.insecure_channel(address, options=LOCAL_OPTIONS)
    stub: Any = provider_pb2_grpc.MediaProviderStub(channel)
    try:
        await stub.Describe(provider_pb2.DescribeRequest(), wait_for_ready=True, timeout=seconds)
    finally:
        await channel.close(None)


async def _exit_code(bench: Bench, address: str) -> int | None:
    subject = bench.subject
    variables = _variables(bench, address)
    async with children.running(subject.command, folder=subject.folder, environ=variables) as process:
        try:
            return await asyncio.wait_for(process.wait(), _EXIT_SECONDS)
        except TimeoutError:
            return None


def _variables(bench: Bench, address: str) -> Mapping[str, str]:
    subject = bench.subject
    return {
        **subject.environ,
        **subject.variables,
        **told(subject.manifest.secrets),
        "MEDIACONDUIT_LISTEN": address,
        "MEDIACONDUIT_INSTANCE": secrets.token_hex(16),
        "MEDIACONDUIT_PROVIDER": subject.manifest.id,
        "MEDIACONDUIT_PROVIDER_VERSION": subject.manifest.version,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _free_port() -> int:
    """A port that was free a moment ago. Where it has been taken since, the sidecar ends and says so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _file_in(folder: str) -> str:
    path = f"{folder}/file"
    with open(path, "xb"):
        pass
    return path


def _ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
