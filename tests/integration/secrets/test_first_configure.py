"""A sidecar that is told to wait for its secrets: what it answers before, and when authors' code runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mediaconduit import connect
from mediaconduit.channels import open_channel
from mediaconduit.client import Client
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit.v1.provider_pb2 import ConfigureRequest

from tests.support.brokers import PROVIDERS

TOKEN = "sk-first-configure"


@dataclass
class Waiting:
    """A sidecar's process, its stub, and a client of it."""

    process: asyncio.subprocess.Process
    stub: Any
    health: Any
    client: Client

    async def seen(self, model: str = "seen") -> Any:
        return json.loads((await self.client.model(f"providers/keys/models/{model}").transform("hi")).text)


@contextlib.asynccontextmanager
async def waiting(
    secrets: str = "KEYS_TOKEN", *, entry: str = "keys_provider:Keys", **environ: str
) -> AsyncIterator[Waiting]:
    with TemporaryDirectory(prefix="mc-") as folder:
        target = f"unix:{folder}/s"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mediaconduit_provider", entry,
            cwd=PROVIDERS / "keys", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"], "MEDIACONDUIT_LISTEN": target, "MEDIACONDUIT_LIFELINE": "stdin",
                "MEDIACONDUIT_PROVIDER": "keys", "MEDIACONDUIT_INSTANCE": "nonce", "MEDIACONDUIT_SECRETS": secrets,
            } | environ,
        )  # fmt: skip
        try:
            async with open_channel(target) as channel, connect(target) as client:
                stub = provider_pb2_grpc.MediaProviderStub(channel)
                yield Waiting(process, stub, health_pb2_grpc.HealthStub(channel), client)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await asyncio.wait_for(process.wait(), 10)


async def refused(call: Any) -> MediaConduitError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return from_rpc_error(raised.value)


async def test_every_phase_of_authors_code_sees_the_key() -> None:
    async with waiting() as sidecar:
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN}), wait_for_ready=True)
        assert await sidecar.seen() == dict.fromkeys(("import", "construct", "setup", "call"), len(TOKEN))


async def test_before_its_secrets_come_it_says_who_it_is_and_that_it_is_not_ready() -> None:
    async with waiting() as sidecar:
        described = await sidecar.stub.Describe(provider_pb2.DescribeRequest(), wait_for_ready=True)
        assert (described.provider_id, described.instance_id) == ("keys", "nonce")
        assert not described.settings_schema, "its code has not run"
        answer = await sidecar.health.Check(health_pb2.HealthCheckRequest(service="mediaconduit.v1.MediaProvider"))
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        error = await refused(sidecar.stub.ListModels(provider_pb2.ListModelsRequest()))
        assert (error.reason, error.metadata["state"]) == (Reason.PROVIDER_NOT_READY, "LOADING")
        with pytest.raises(MediaConduitError) as raised:
            await sidecar.client.model("providers/keys/models/seen").transform("hi")
        assert raised.value.reason is Reason.PROVIDER_NOT_READY


async def test_the_environment_the_process_was_started_with_never_holds_the_key() -> None:
    async with waiting() as sidecar:
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN}), wait_for_ready=True)
        assert "KEYS_TOKEN" in await sidecar.seen("environ")
        assert TOKEN.encode() not in Path(f"/proc/{sidecar.process.pid}/environ").read_bytes()


async def test_a_key_that_did_not_come_fails_calls_and_nothing_else() -> None:
    async with waiting("KEYS_TOKEN,KEYS_OTHER") as sidecar:
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN}), wait_for_ready=True)
        assert await sidecar.client.models()
        with pytest.raises(MediaConduitError) as raised:
            await sidecar.seen()
        assert (raised.value.code, raised.value.reason) == ("FAILED_PRECONDITION", Reason.CREDENTIALS_MISSING)
        assert raised.value.metadata["variable"] == "KEYS_OTHER"
        assert "KEYS_OTHER" in raised.value.hint


async def test_a_later_configure_replaces_keys_and_settings_or_leaves_both() -> None:
    async with waiting() as sidecar:
        await sidecar.stub.Configure(
            ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN, "KEYS_OTHER": "o"}), wait_for_ready=True
        )
        refusal = ConfigureRequest(secrets={"KEYS_TOKEN": "other"}, settings={"region": "nowhere"})
        assert (await refused(sidecar.stub.Configure(refusal))).reason is Reason.INPUT_INVALID
        assert (await sidecar.seen())["call"] == len(TOKEN)
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": "new"}, settings={"region": "here"}))
        assert (await sidecar.seen())["call"] == 3
        assert "KEYS_OTHER" not in await sidecar.seen("environ")


async def test_what_leaves_the_process_about_failures_is_without_the_key() -> None:
    async with waiting() as sidecar:
        first = ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN})
        await sidecar.stub.Configure(first, wait_for_ready=True)
        with pytest.raises(MediaConduitError) as raised:
            await sidecar.client.model("providers/keys/models/fails").transform("hi")
        assert (raised.value.message, raised.value.hint) == ("the vendor says: bad key ***", "not ***")
        second = ConfigureRequest(secrets={"KEYS_TOKEN": "another-token"}, settings={"region": "nowhere"})
        assert (await refused(sidecar.stub.Configure(second))).message == "no region for ***"
        watch = sidecar.stub.WatchGenerations(provider_pb2.WatchGenerationsRequest())
        (record,) = (await watch.read()).generations
        watch.cancel()
        assert record.error.message == "the vendor says: bad key ***"
        assert TOKEN.encode() not in record.SerializeToString()


async def test_settings_that_are_not_given_stay_and_new_keys_are_told_to_the_author() -> None:
    async with waiting() as sidecar:
        first = ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN}, settings={"region": "here"})
        await sidecar.stub.Configure(first, wait_for_ready=True)
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": "new"}))
        assert await sidecar.seen("settings") == {"region": 4}
        assert (await sidecar.seen())["configure"] == 3


@pytest.mark.parametrize("name", ["MEDIACONDUIT_LISTEN", "with space", "1ST", ""])
async def test_names_that_no_key_may_have_are_refused_without_the_value(name: str) -> None:
    async with waiting() as sidecar:
        wrong = ConfigureRequest(secrets={name: TOKEN, "KEYS_TOKEN": TOKEN})
        error = await refused(sidecar.stub.Configure(wrong, wait_for_ready=True))
        assert [field.field for field in error.fields] == [f"secrets.{name}"]
        assert TOKEN not in repr((error, error.fields, error.metadata))
        await sidecar.stub.Configure(ConfigureRequest(secrets={"KEYS_TOKEN": TOKEN}))


async def test_a_provider_that_cannot_be_imported_exits_with_70() -> None:
    async with waiting(entry="nowhere:Keys") as sidecar:
        await refused(sidecar.stub.Configure(ConfigureRequest(), wait_for_ready=True))
        assert await sidecar.process.wait() == 70


async def test_names_that_are_none_are_a_wrong_environment() -> None:
    async with waiting("KEYS TOKEN") as sidecar:
        assert await sidecar.process.wait() == 64


@pytest.mark.parametrize("ending", ["SIGTERM", "lifeline"])
async def test_while_it_waits_it_ends_as_it_always_does(ending: str) -> None:
    async with waiting() as sidecar:
        await sidecar.stub.Describe(provider_pb2.DescribeRequest(), wait_for_ready=True)
        if ending == "SIGTERM":
            sidecar.process.send_signal(signal.SIGTERM)
        else:
            assert sidecar.process.stdin is not None
            sidecar.process.stdin.close()
        assert await sidecar.process.wait() == 0
