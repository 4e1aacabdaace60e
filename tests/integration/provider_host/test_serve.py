"""`mediaconduit_provider.testing`, as authors use it, and what needs other settings of the host."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import grpc
import pytest
from mediaconduit.channels import open_channel
from mediaconduit.errors import InvalidRequestError
from mediaconduit.v1 import provider_pb2, provider_pb2_grpc
from mediaconduit_provider import Model, Provider
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.generations import KEPT
from mediaconduit_provider.testing import serve, serve_socket

from .conftest import request


class Shout(Provider):
    models = (Model("default", ["text-to-text"]), Model("silent", ["text-to-text"]))
    settings_schema: ClassVar = {"type": "object", "properties": {"mark": {"type": "string", "maxLength": 1}}}

    def __init__(self) -> None:
        self.closed = 0

    async def transform(self, call: Any) -> Any:
        while call.model.id == "silent":  # noqa: ASYNC110 - until it is cancelled
            await asyncio.sleep(1000)
        for word in call.text.split():
            yield word.upper() + self.settings.get("mark", "")

    async def close(self) -> None:
        self.closed += 1


async def test_authors_test_with_a_real_server_and_the_real_client() -> None:
    provider = Shout()
    async with serve(provider, settings={"mark": "!"}) as served:
        assert (await served.model("default").transform("hi you")).text == "HI!YOU!"
        assert served.target.startswith("unix:")
    assert provider.closed == 1


async def test_settings_that_are_not_valid_fail_at_once_and_close_the_provider() -> None:
    provider = Shout()
    with pytest.raises(InvalidRequestError):
        async with serve(provider, settings={"mark": "!!"}):
            pass
    assert provider.closed == 1


async def test_silence_is_broken_by_signs_of_life() -> None:
    config = HostConfig("test", "", heartbeat=0.01)
    async with serve_socket(Shout(), config=config) as (target, _), open_channel(target) as channel:
        call = provider_pb2_grpc.MediaProviderStub(channel).Transform(request("test/silent", "hi"))
        stages: list[str] = []
        while len(stages) < 3:
            stages += [event.progress.stage for event in (await call.read()).events if event.HasField("progress")]
        call.cancel()
        assert stages[:3] == ["running"] * 3


async def test_the_last_records_are_kept_and_the_others_forgotten() -> None:
    async with serve_socket(Shout()) as (target, _), open_channel(target) as channel:
        stub = provider_pb2_grpc.MediaProviderStub(channel)
        for number in range(KEPT + 5):
            metadata = (("x-mediaconduit-generation", f"generations/{number}"),)
            call = stub.Transform(request("test/default", "x"), metadata=metadata)
            while await call.read() is not grpc.aio.EOF:
                pass
        watch = stub.WatchGenerations(provider_pb2.WatchGenerationsRequest(after="generations/0"))
        names: list[str] = []
        while len(names) < KEPT:
            names += [record.name for record in (await watch.read()).generations]
        assert names == [f"generations/{number}" for number in range(5, KEPT + 5)]
        watch.cancel()
