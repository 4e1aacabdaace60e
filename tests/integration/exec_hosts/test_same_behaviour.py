"""What every host does alike, whatever it is written in: over the wire, beyond what the conformance suite asks for."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import grpc
import psutil
import pytest
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2
from mediaconduit.errors import MediaConduitError, Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1 import provider_pb2
from mediaconduit.v1.generations_pb2 import Generation
from mediaconduit.v1.media_pb2 import Part
from mediaconduit.v1.transform_pb2 import InputChunk, TransformLiveRequest

from .conftest import NONCE, SECONDS, Running, Start, ask, text_of

pytestmark = pytest.mark.timeout(900)  # the first one builds
KEY = "the-key-of-the-vendor"


async def failure_of(call: Any) -> MediaConduitError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_to_the_end(call)
    return from_rpc_error(caught.value)


async def read_to_the_end(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def record_of(running: Running, model: str) -> Generation:
    """The first record of a call of that model."""
    async for answer in running.stub.WatchGenerations(provider_pb2.WatchGenerationsRequest(), timeout=SECONDS):
        for record in answer.generations:
            if record.model.endswith(f"/{model}"):
                found: Generation = record
                return found
    raise AssertionError("the watch ended")


async def test_what_piles_up_is_joined_and_nothing_is_lost(running: Running) -> None:
    messages = [message async for message in running.call("words", "tick tock", extra={"repeat": 20000})]
    events = [event for message in messages for event in message.events]
    assert text_of(events) == "tick tock " * 20000
    assert len(messages) < 10_000
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].completed.usage.units["word"] == 40000


async def test_a_caller_who_does_not_read_is_not_written_to(running: Running) -> None:
    call = running.call("flood")
    await call.read()
    # A whole call in between: time enough for the other one to write all it may.
    assert await running.events("words", "x", extra={"repeat": 20000})
    call.cancel()
    while (await running.describe()).active_calls:
        pass
    written = (await record_of(running, "flood")).usage.units["byte"]
    assert 0 < written < 4 * 1024 * 1024


async def test_an_error_nobody_foresaw_leaves_only_its_id(running: Running) -> None:
    failure = await failure_of(running.call("crash"))
    assert failure.reason is Reason.INTERNAL
    error_id = failure.metadata["error_id"]
    assert error_id in failure.message
    assert "secret detail" not in str(failure) + repr(failure.metadata)
    assert any(error_id in line and line.startswith("<3>") for line in running.log)
    assert any("a secret detail" in line for line in running.log)
    assert text_of(await running.events("words", "still here")) == "still here "


async def test_secrets_come_before_the_provider_is_made_and_stay_out_of_errors(start: Start) -> None:
    async with start(MEDIACONDUIT_SECRETS="BEHAVE_KEY") as running:
        said = await running.describe()
        assert (said.provider_id, said.version, said.instance_id) == ("behave", "1.2.3", NONCE)
        assert not said.settings_schema
        assert (await failure_of(running.call("words"))).reason is Reason.PROVIDER_NOT_READY
        await running.configure(secrets={"BEHAVE_KEY": KEY})
        await running.ready()
        failure = await failure_of(running.call("fail"))
        assert (failure.reason, failure.message) == (Reason.RATE_LIMITED, "the vendor refuses ***")
        assert (failure.metadata, failure.retry_after) == ({"whose": "vendor"}, 7.0)
        await running.configure({"greeting": "hello"}, {"BEHAVE_KEY": KEY})
        assert text_of(await running.events("greet")) == f"hello {KEY}"
        assert not any(KEY in line for line in running.log)


async def test_a_call_fails_while_a_secret_is_missing(start: Start) -> None:
    async with start(MEDIACONDUIT_SECRETS="BEHAVE_KEY,OTHER") as running:
        await running.configure(secrets={"BEHAVE_KEY": KEY})
        await running.ready()
        failure = await failure_of(running.call("words"))
        assert (failure.reason, failure.metadata["variable"]) == (Reason.CREDENTIALS_MISSING, "OTHER")


async def test_settings_are_refused_whole_and_by_name_without_their_values(running: Running) -> None:
    await running.configure({"greeting": "hello"})
    for wrong, field in ({"greeting": "x"}, "settings.greeting"), ({"api_key": "hush-hush"}, "settings.api_key"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.configure(wrong)
        failure = from_rpc_error(caught.value)
        assert (failure.reason, [found.field for found in failure.fields]) == (Reason.INPUT_INVALID, [field])
        assert "hush" not in str(failure)
    assert text_of(await running.events("greet")) == "hello "


async def test_settings_the_author_refuses_leave_those_before(start: Start) -> None:
    async with start(MEDIACONDUIT_SECRETS="BEHAVE_KEY") as running:
        await running.configure({"greeting": "hello"}, {"BEHAVE_KEY": KEY})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.configure({"greeting": "refused"}, {"BEHAVE_KEY": KEY})
        assert from_rpc_error(caught.value).hint == "the key is ***"
        assert text_of(await running.events("greet")) == f"hello {KEY}"


async def test_what_the_broker_tells_of_a_call_is_in_its_record(running: Running) -> None:
    metadata = (
        ("x-mediaconduit-generation", "generations/mine"),
        ("x-mediaconduit-source", "github.com/o/r@1"),
        ("x-mediaconduit-caller", "somebody"),
        ("x-mediaconduit-queue-ms", "1500"),
    )
    events = await running.events("words", "a b", metadata=metadata, labels={"team": "x"}, parent_generations=["g"])
    assert events[0].started.generation == "generations/mine"
    provenance = events[-1].completed.provenance
    assert (provenance.provider, provenance.source) == ("providers/behave", "github.com/o/r@1")
    assert (provenance.queue_duration.seconds, provenance.queue_duration.nanos) == (1, 500_000_000)
    assert (provenance.capability, provenance.model_display_name) == ("text-to-text", "words")
    assert list(provenance.parent_generations) == ["g"]
    assert provenance.first_output_duration.nanos > 0
    record = await record_of(running, "words")
    assert (record.name, record.caller, dict(record.labels)) == ("generations/mine", "somebody", {"team": "x"})
    assert record.usage.units["word"] == 2
    assert len(record.finishes) == 1


async def test_a_cancelled_call_is_recorded_as_such(running: Running) -> None:
    call = running.call("hang")
    while "hanging" not in text_of(list((await call.read()).events)):
        pass
    call.cancel()
    record = await record_of(running, "hang")
    assert record.error.code == code_pb2.CANCELLED
    assert not record.finishes


async def test_input_is_worked_on_as_it_arrives(running: Running) -> None:
    call = running.stub.TransformLive(timeout=SECONDS)
    await call.write(TransformLiveRequest(start=ask("echo", Part(media_type="audio/wav", stream=5))))
    for piece in (b"one", b"two"):
        await call.write(TransformLiveRequest(chunk=InputChunk(stream=5, data=piece)))
        came = b""
        while came != piece:
            came += b"".join(event.output_delta.data for event in (await call.read()).events)
    await call.done_writing()
    events = []
    while (message := await call.read()) is not grpc.aio.EOF:
        events += message.events
    ended = next(event.output_completed for event in events if event.HasField("output_completed"))
    assert ended.size_bytes == 6
    assert ended.sha256 == "25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1"


async def test_a_large_input_goes_through_in_chunks_of_bounded_size(running: Running) -> None:
    piece, count = os.urandom(CHUNK_BYTES), 24
    call = running.stub.TransformLive(timeout=SECONDS)
    await call.write(TransformLiveRequest(start=ask("echo", Part(media_type="audio/wav", stream=1))))

    async def send() -> None:
        for _ in range(count):
            await call.write(TransformLiveRequest(chunk=InputChunk(stream=1, data=piece)))
        await call.done_writing()

    came = bytearray()
    async with asyncio.TaskGroup() as group:
        group.create_task(send(), name="send")
        while (message := await call.read()) is not grpc.aio.EOF:
            for event in message.events:
                assert len(event.output_delta.data) <= CHUNK_BYTES
                came += event.output_delta.data
    assert came == piece * count


async def test_draining_gives_way_to_a_second_signal(start: Start) -> None:
    async with start() as running:
        await running.ready()
        call = running.call("hang")
        await call.read()
        running.process.send_signal(signal.SIGTERM)
        await running.until(health_pb2.HealthCheckResponse.NOT_SERVING)
        assert (await failure_of(running.call("words"))).reason is Reason.PROVIDER_DRAINING
        running.process.send_signal(signal.SIGTERM)
        assert (await failure_of(call)).reason is Reason.PROVIDER_DRAINING
        assert await running.wait() == 0
        assert not os.path.exists(running.target.removeprefix("unix:"))


async def test_children_that_left_the_group_end_with_it(start: Start) -> None:
    async with start() as running:
        await running.ready()
        call = running.call("child")
        pid = ""
        while not pid:
            pid = text_of(list((await call.read()).events))
        child = psutil.Process(int(pid))
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert await running.wait() == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, [child], 10)
        assert all(process.status() == psutil.STATUS_ZOMBIE for process in alive)
        folder = os.path.dirname(running.target.removeprefix("unix:"))
        assert not [name for name in os.listdir(folder) if name.startswith("mediaconduit-sidecar")]


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"BEHAVE_FAIL": "make"}, 70),
        ({"BEHAVE_FAIL": "setup"}, 70),
        ({"MEDIACONDUIT_LIFELINE": "socket"}, 64),
        ({"MEDIACONDUIT_SECRETS": "1x"}, 64),
        ({"MEDIACONDUIT_LISTEN": "unix:/no/such/folder/s"}, 64),
        ({"MEDIACONDUIT_TLS_KEY": "/no/such/file"}, 64),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
async def test_what_cannot_start_says_why_and_how_it_ended(start: Start, variables: dict[str, str], code: int) -> None:
    async with start(**variables) as running:
        assert await running.wait() == code
    assert any(line.startswith("<3>") for line in running.log)
    if "BEHAVE_FAIL" in variables:
        assert any("as it was told" in line for line in running.log)


async def test_a_call_ends_with_its_deadline(running: Running) -> None:
    request = ask("hang", Part(text="x"))
    failure = await failure_of(running.stub.Transform(request, metadata=(("grpc-timeout", "300m"),)))
    assert failure.reason is Reason.DEADLINE_EXCEEDED
    while (await running.describe()).active_calls:
        pass
