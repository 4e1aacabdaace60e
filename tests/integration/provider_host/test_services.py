"""The optional services beside the main one."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from mediaconduit.errors import Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import local_models_pb2, local_models_pb2_grpc, voices_pb2, voices_pb2_grpc

from .conftest import PREFIX, Sidecar

VOICES = "providers/sample/voices/"


async def test_voices_get_their_full_names_and_pages(shared: Sidecar) -> None:
    stub = voices_pb2_grpc.VoicesStub(shared.channel)
    first = await stub.ListVoices(voices_pb2.ListVoicesRequest(page_size=1))
    rest = await stub.ListVoices(voices_pb2.ListVoicesRequest(page_token=first.next_page_token))
    assert [voice.name for voice in (*first.voices, *rest.voices)] == [VOICES + "anna", VOICES + "bob"]
    assert list(first.voices[0].models) == ["providers/sample/models/say", "providers/sample/models/shout"]


async def test_the_same_request_makes_one_voice(sidecar: Sidecar) -> None:
    stub = voices_pb2_grpc.VoicesStub(sidecar.channel)

    async def make(request_id: str) -> str:
        answer = await stub.CreateVoice(voices_pb2.CreateVoiceRequest(request_id=request_id))
        return str(answer.voice.name)

    assert await asyncio.gather(make("a"), make("a")) == [VOICES + "made-1"] * 2
    assert await make("b") == VOICES + "made-2"


async def test_only_its_own_voices_are_removed(shared: Sidecar) -> None:
    stub = voices_pb2_grpc.VoicesStub(shared.channel)
    await stub.DeleteVoice(voices_pb2.DeleteVoiceRequest(name=VOICES + "made-1"))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.DeleteVoice(voices_pb2.DeleteVoiceRequest(name="providers/other/voices/x"))
    assert from_rpc_error(raised.value).reason is Reason.RESOURCE_NOT_FOUND


async def test_several_callers_share_one_fetch_of_a_model(sidecar: Sidecar) -> None:
    stub = local_models_pb2_grpc.LocalModelsStub(sidecar.channel)

    async def pull() -> list[Any]:
        request = local_models_pb2.PullModelRequest(name=PREFIX + "big")
        return [answer async for answer in stub.PullModel(request)]

    for steps in await asyncio.gather(pull(), pull()):
        assert (steps[-1].stage, steps[-1].completed_bytes, steps[-1].total_bytes) == ("download", 2, 2)
    made = await voices_pb2_grpc.VoicesStub(sidecar.channel).CreateVoice(voices_pb2.CreateVoiceRequest())
    assert made.voice.labels["pulls"] == "1"
