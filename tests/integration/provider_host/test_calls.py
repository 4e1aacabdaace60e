"""One call, from the wire to the author's code and back."""

from __future__ import annotations

import hashlib

import pytest
from mediaconduit.errors import Reason
from mediaconduit.v1 import provider_pb2
from mediaconduit.v1.events_pb2 import FinishReason, OutputKind
from mediaconduit.v1.media_pb2 import Part, Turn

from .conftest import PREFIX, Sidecar, options, text_of


async def test_describe_echoes_the_nonce_and_what_the_provider_can(shared: Sidecar) -> None:
    described = await shared.describe()
    assert (described.provider_id, described.instance_id, described.display_name) == ("sample", "nonce", "Sample")
    assert "text-to-embedding" in described.capabilities
    assert list(described.services) == ["mediaconduit.v1.Voices", "mediaconduit.v1.LocalModels"]
    assert described.max_concurrency == 3 and "api_key" in described.settings_schema


async def test_models_are_listed_by_capability_and_page(shared: Sidecar) -> None:
    listed = await shared.stub.ListModels(provider_pb2.ListModelsRequest(capability="audio-to-text", page_size=2))
    assert [model.name for model in listed.models] == [PREFIX + "upload", PREFIX + "pair"]
    rest = await shared.stub.ListModels(
        provider_pb2.ListModelsRequest(capability="audio-to-text", page_token=listed.next_page_token)
    )
    assert [model.name for model in rest.models] == [PREFIX + "upload_thread"] and not rest.next_page_token
    assert not rest.models[0].options_schema


async def test_get_model_gives_the_schema_of_its_options(shared: Sidecar) -> None:
    got = await shared.stub.GetModel(provider_pb2.GetModelRequest(name=PREFIX + "picky"))
    assert '"speed": {"type": "number", "minimum": 0.5, "maximum": 3}' in got.model.options_schema
    assert [spec.name for spec in got.model.inputs] == ["", "voice"]


async def test_events_are_numbered_between_started_and_completed(shared: Sidecar) -> None:
    metadata = (
        ("x-mediaconduit-generation", "generations/g1"),
        ("x-mediaconduit-source", "file:sample@1"),
        ("x-mediaconduit-queue-ms", "250"),
    )
    events = await shared.events("shout", "hello big world", metadata=metadata, parent_generations=["generations/p"])
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[0].started.generation == "generations/g1" and events[0].started.model == PREFIX + "shout"
    assert [event.WhichOneof("event") for event in events].count("completed") == 1
    assert text_of(events) == "HELLO BIG WORLD "
    completed = events[-1].completed
    assert [finish.reason for finish in completed.finishes] == [FinishReason.FINISH_REASON_STOP]
    assert completed.usage.units["character"] == 15
    facts = completed.provenance
    assert (facts.provider, facts.source, facts.vendor_model) == ("providers/sample", "file:sample@1", "shouter-1")
    assert (facts.capability, facts.model_display_name) == ("text-to-text", "shout")
    assert facts.queue_duration.ToMilliseconds() == 250 and facts.parent_generations == ["generations/p"]
    assert 0 < facts.first_output_duration.ToNanoseconds() <= facts.total_duration.ToNanoseconds()


@pytest.mark.parametrize("model", ["thread", "delegates", "returns"])
async def test_transform_may_be_written_in_other_ways(shared: Sidecar, model: str) -> None:
    expected = {"thread": "hibye", "delegates": "HI BYE ", "returns": "returned"}[model]
    assert text_of(await shared.events(model, "hi bye")) == expected


async def test_data_is_cut_into_chunks_and_hashed(shared: Sidecar) -> None:
    events = await shared.events("data")
    data = [event.output_delta.data for event in events if event.output_delta.data]
    assert b"".join(data) == b"a" * 300_000 + b"b" * 10
    assert max(map(len, data)) <= 256 * 1024
    completed = next(event.output_completed for event in events if event.HasField("output_completed"))
    assert completed.size_bytes == 300_010 and completed.sha256 == hashlib.sha256(b"".join(data)).hexdigest()
    started = next(event.output_started for event in events if event.HasField("output_started"))
    assert (started.kind, started.media_type) == (OutputKind.OUTPUT_KIND_DATA, "audio/wav")


async def test_a_file_is_an_output_and_the_calls_folder_is_removed(shared: Sidecar) -> None:
    from pathlib import Path

    events = await shared.events("file")
    starts = [event.output_started for event in events if event.HasField("output_started")]
    assert [(start.media_type, start.name) for start in starts] == [("audio/flac", "main"), ("text/plain", "")]
    assert b"".join(event.output_delta.data for event in events) == b"f" * 600_000
    path = Path(text_of(events))
    assert path.name == "out" and not path.parent.exists()


async def test_text_after_a_tool_call_is_an_output_of_its_own(shared: Sidecar) -> None:
    events = await shared.events("tools")
    starts = [event.output_started for event in events if event.HasField("output_started")]
    kinds = [OutputKind.Name(start.kind) for start in starts]
    assert kinds == ["OUTPUT_KIND_TEXT", "OUTPUT_KIND_TOOL_CALL", "OUTPUT_KIND_TEXT"]
    assert starts[1].tool_call.name == "look" and not starts[1].tool_call.arguments
    assert [event.output_delta.text for event in events if event.output_delta.index == 1][-1:] == ['{"a": 1}']


async def test_every_item_of_a_batch_has_its_embedding(shared: Sidecar) -> None:
    turns = [Turn(parts=[Part(text=text)]) for text in "ab"]
    events = await shared.events("embed", turns=turns)
    parts = [event.output_completed.part for event in events if event.HasField("output_completed")]
    assert [(part.embedding.input, list(part.embedding.values)) for part in parts] == [(0, [0.0]), (1, [1.0])]


async def test_a_flood_is_joined_into_few_messages(shared: Sidecar) -> None:
    messages = [message async for message in shared.call("many", "20000")]
    events = [event for message in messages for event in message.events]
    assert text_of(events) == "".join(f"{number} " for number in range(20000))
    assert len(messages) < 2000 and max(message.ByteSize() for message in messages) <= 1024 * 1024


async def test_whole_numbers_of_options_are_whole_again(shared: Sidecar) -> None:
    extra = options()
    extra.extra["gap"] = 12
    voice = Part(name="voice", media_type="audio/wav", data=b"v")
    assert await shared.events("picky", "hi", parts=[voice], options=extra)
    extra.extra["gap"] = 12.5
    error = await shared.fails("picky", "hi", parts=[voice], options=extra)
    assert [violation.field for violation in error.fields] == ["options.extra.gap"]


async def test_what_authors_print_is_in_the_log_and_not_on_the_wire(shared: Sidecar) -> None:
    assert text_of(await shared.events("prints")) == "ok"
    log = shared.log.read_text()
    assert "printed by the author\n" in log and "with newline\n" in log


async def test_records_say_how_calls_ended_and_are_given_from_a_point_on(sidecar: Sidecar) -> None:
    await sidecar.events("shout", metadata=(("x-mediaconduit-generation", "generations/1"),))
    await sidecar.fails("typed", metadata=(("x-mediaconduit-generation", "generations/2"),))
    for after, expected in (("", ["generations/1", "generations/2"]), ("generations/1", ["generations/2"])):
        watch = sidecar.stub.WatchGenerations(provider_pb2.WatchGenerationsRequest(after=after))
        records = (await watch.read()).generations
        watch.cancel()
        assert [record.name for record in records] == expected
    assert records[0].error.code == 8 and records[0].end_time.seconds
    assert records[0].model == PREFIX + "typed"


async def test_reflection_lists_the_services(shared: Sidecar) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    stub = reflection_pb2_grpc.ServerReflectionStub(shared.channel)
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    await call.done_writing()
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    assert {"mediaconduit.v1.MediaProvider", "grpc.health.v1.Health"} <= names


async def test_another_providers_model_is_refused(shared: Sidecar) -> None:
    error = await shared.fails("providers/other/models/shout")
    assert error.reason is Reason.MODEL_NOT_FOUND
