"""Requests that no author's code ever sees, and errors that leave it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from mediaconduit.errors import Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import provider_pb2
from mediaconduit.v1.media_pb2 import Part, Role, Turn

from .conftest import PREFIX, Sidecar, options, text_of

VOICE = Part(name="voice", media_type="audio/wav", data=b"v")


async def test_an_unknown_model_is_answered_with_the_nearest(shared: Sidecar) -> None:
    error = await shared.fails("shuot")
    assert (error.code, error.reason) == ("NOT_FOUND", Reason.MODEL_NOT_FOUND)
    assert PREFIX + "shout" in error.metadata["suggestions"].split(",") and PREFIX + "shout" in error.hint


async def test_an_unsupported_capability_says_what_there_is(shared: Sidecar) -> None:
    error = await shared.fails("shout", capability="text-to-video")
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", Reason.CAPABILITY_UNSUPPORTED)
    assert error.metadata == {"capability": "text-to-video", "available": "text-to-text"}


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [Turn()],
        [Turn(parts=[Part(text="")])],
        [Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="be nice")])],
        [Turn(parts=[Part(media_type="audio/wav", data=b"")])],
    ],
    ids=["no-turns", "no-parts", "empty-text", "only-system", "no-bytes"],
)
async def test_an_empty_input_is_refused(shared: Sidecar, turns: list[Turn]) -> None:
    error = await shared.fails("shout", turns=turns)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", Reason.INPUT_INVALID)
    assert [violation.field for violation in error.fields] == ["turns"]


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "turns"),
        ([Part(name="voice", media_type="image/png", data=b"v")], "turns[0].parts[1].media_type"),
        ([Part(name="voice", media_type="audio/wav", data=b"")], "turns[0].parts[1]"),
        ([VOICE, VOICE], "turns[0].parts[2].name"),
        ([VOICE, Part(name="mask", media_type="image/png", data=b"v")], "turns[0].parts[2].name"),
        ([VOICE, Part(media_type="video/mp4", data=b"v")], "turns[0].parts[2].media_type"),
    ],
    ids=["missing", "type", "empty", "too-many", "unknown", "main-type"],
)
async def test_inputs_are_checked_against_what_the_model_takes(shared: Sidecar, parts: list[Part], field: str) -> None:
    error = await shared.fails("picky", parts=parts)
    assert error.reason is Reason.INPUT_INVALID
    assert [violation.field for violation in error.fields] == [field]


async def test_a_large_input_says_limit_and_size(shared: Sidecar) -> None:
    error = await shared.fails("picky", parts=[Part(name="voice", media_type="audio/wav", data=b"v" * 101)])
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", Reason.INPUT_TOO_LARGE)
    assert error.metadata == {"limit": "100", "actual": "101"}


async def test_the_capability_follows_from_the_input(shared: Sidecar) -> None:
    events = await shared.events("picky", "", parts=[Part(media_type="audio/wav", data=b"a"), VOICE])
    assert b"".join(event.output_delta.data for event in events) == b"audio-to-audio 1.0"


async def test_an_option_out_of_range_says_where_and_what_is_allowed(shared: Sidecar) -> None:
    given = options()
    given.audio.speed = 9
    error = await shared.fails("picky", parts=[VOICE], options=given)
    assert [violation.field for violation in error.fields] == ["options.audio.speed"]
    assert "from 0.5 to 3" in error.fields[0].description


async def test_an_option_the_model_lacks_is_refused_or_dropped_with_a_notice(shared: Sidecar) -> None:
    given = options(seed=3)
    error = await shared.fails("options", options=given)
    assert [violation.field for violation in error.fields] == ["options.seed"]
    given.lenient = True
    events = await shared.events("options", options=given)
    assert [event.notice.code for event in events if event.HasField("notice")] == ["OPTION_DROPPED"]
    assert text_of(events) == "None"


async def test_an_output_that_cannot_be_made_is_refused(shared: Sidecar) -> None:
    error = await shared.fails("picky", parts=[VOICE], options=options(output_media_types=["audio/flac"]))
    assert [violation.field for violation in error.fields] == ["options.output_media_types"]
    made = await shared.events("picky", parts=[VOICE], options=options(output_media_types=["audio/mpeg"]))
    assert [event.output_started.media_type for event in made if event.HasField("output_started")] == ["audio/mpeg"]


async def test_a_stream_can_only_be_announced_where_chunks_can_follow(shared: Sidecar) -> None:
    error = await shared.fails("upload", "", parts=[Part(media_type="audio/wav", stream=1)])
    assert [violation.field for violation in error.fields] == ["turns[0].parts[0].stream"]


async def test_text_may_come_as_bytes_and_must_then_be_text(shared: Sidecar) -> None:
    events = await shared.events("shout", "", parts=[Part(media_type="text/plain", data="hé".encode())])
    assert text_of(events) == "HÉ "
    error = await shared.fails("shout", "", parts=[Part(media_type="text/plain", data=b"\xff\xfe")])
    assert [violation.field for violation in error.fields] == ["turns[0].parts[0]"]


async def test_an_author_who_cancels_itself_has_failed(shared: Sidecar) -> None:
    assert (await shared.fails("cancels_itself")).reason is Reason.INTERNAL


async def test_an_authors_typed_error_passes_as_it_is_also_after_output(shared: Sidecar) -> None:
    error = await shared.fails("typed")
    assert (error.reason, error.message, error.retry_after) == (Reason.RATE_LIMITED, "slow down", 7)
    assert error.metadata == {"whose": "vendor"}


async def test_a_typed_error_out_of_a_task_group_passes(shared: Sidecar) -> None:
    error = await shared.fails("groups")
    assert error.reason is Reason.INPUT_INVALID and error.fields[0].description == "not today"


@pytest.mark.parametrize("model", ["boom", "late_boom", "exits"])
async def test_of_an_unknown_exception_only_an_id_leaves(shared: Sidecar, model: str) -> None:
    call = shared.call(model, "hi")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in call:
            pass
    assert "secret-text" not in repr(raised.value) and "Unexpected" not in repr(raised.value)
    error = from_rpc_error(raised.value)
    assert (error.code, error.reason) == ("INTERNAL", Reason.INTERNAL)
    log = shared.log.read_text()
    line = next(line for line in log.splitlines() if error.metadata["error_id"] in line)
    assert line.startswith("<3>") and ("secret-text" in line or model == "exits")
    assert text_of(await shared.events("shout", "on")) == "ON "


async def test_settings_are_checked_as_a_whole_and_the_old_ones_stay(sidecar: Sidecar) -> None:
    async def configure(**values: Any) -> Any:
        settings = Struct()
        settings.update(values)
        return await sidecar.stub.Configure(provider_pb2.ConfigureRequest(settings=settings))

    await configure(api_key="long-enough", retries=3)
    for values, fields in (
        ({"api_key": "1234", "retries": 9}, {"settings.api_key", "settings.retries"}),
        ({"retries": 5}, {"settings.retries"}),
        ({"unknown": 1}, {"settings"}),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await configure(**values)
        error = from_rpc_error(raised.value)
        assert {violation.field for violation in error.fields} == fields
        assert "1234" not in str(error)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await configure(retries=4, api_key="do-not-tell")
    assert text_of(await sidecar.events("retries")) == "3"
    assert "do-not-tell" not in repr(raised.value)
    assert from_rpc_error(raised.value).reason is Reason.INTERNAL


async def test_services_a_provider_lacks_say_so(folder: Any) -> None:
    from mediaconduit.v1 import local_models_pb2, local_models_pb2_grpc, voices_pb2, voices_pb2_grpc

    from .conftest import running

    async with running(folder, "plain_provider:Plain") as sidecar:
        assert not (await sidecar.describe()).services
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await voices_pb2_grpc.VoicesStub(sidecar.channel).ListVoices(voices_pb2.ListVoicesRequest())
        error = from_rpc_error(raised.value)
        assert (error.code, error.reason) == ("UNIMPLEMENTED", Reason.SERVICE_UNSUPPORTED)
        assert error.metadata["service"] == "mediaconduit.v1.Voices"
        pull = local_models_pb2_grpc.LocalModelsStub(sidecar.channel).PullModel(
            local_models_pb2.PullModelRequest(name=PREFIX + "x")
        )
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await pull.read()
        assert from_rpc_error(raised.value).reason is Reason.SERVICE_UNSUPPORTED
