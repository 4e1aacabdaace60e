"""The nine shapes the contract must express without an `extra`, each serialised and each through a running sidecar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from mediaconduit.channels import open_channel
from mediaconduit.v1 import provider_pb2_grpc
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse
from mediaconduit.v1.media_pb2 import Part, Role, ToolResult, Turn
from mediaconduit.v1.options_pb2 import Tool, ToolChoice, TransformOptions
from mediaconduit.v1.provider_pb2 import DescribeRequest, WatchGenerationsRequest
from mediaconduit.v1.transform_pb2 import (
    InputChunk,
    Interrupt,
    Respond,
    TransformLiveRequest,
    TransformRequest,
)

from tests.support.sidecars import sidecar

FOLDER = Path(__file__).parents[1] / "providers" / "shapes"
SCHEMA = '{"type": "object", "properties": {"zebra": {"type": "integer"}, "apple": {"type": "integer"}}}'


def user(*parts: Part | str) -> Turn:
    made = [Part(text=part) if isinstance(part, str) else part for part in parts]
    return Turn(role=Role.ROLE_USER, parts=made)


def request(model: str, *turns: Turn, options: TransformOptions | None = None, **fields: Any) -> TransformRequest:
    return TransformRequest(model=f"providers/shapes/models/{model}", turns=turns, options=options, **fields)


def options(**groups: Any) -> TransformOptions:
    made = TransformOptions()
    json_format.ParseDict(groups, made)
    return made


WEATHER = Tool(name="weather", description="The weather in a city.", parameters_schema='{"type": "object"}')
CHAT_OPTIONS = options(text={"temperature": 0.2, "reasoning_effort": "low"}, seed=7)
CHAT_OPTIONS.text.tools.append(WEATHER)
CHAT_OPTIONS.text.tool_choice = ToolChoice.TOOL_CHOICE_REQUIRED

SHAPES: dict[str, TransformRequest] = {
    "chat": request(
        "chat", Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="Be brief.")]), user("Weather?"), options=CHAT_OPTIONS
    ),
    "json": request("json", user("Two fruits."), options=options(text={"json_schema": SCHEMA})),
    "embed": request("embed", user("a"), user("bb"), user("ccc"), options=options(embedding={"dimensions": 3})),
    "judge": request("judge", Turn(role=Role.ROLE_SYSTEM, parts=[Part(text="moo")]), user("x"), user("moo moo")),
    "transcribe": request(
        "transcribe",
        user(Part(data=b"RIFF....", media_type="audio/wav")),
        options=options(transcript={"times": "TIME_DETAIL_WORD", "speakers": True}),
    ),
    "speak": request(
        "speak",
        user("Hello.", Part(name="voice", data=b"sample", media_type="audio/wav"), Part(name="voice-text", text="hi")),
        options=options(audio={"language": "en-GB", "speed": 1.1}),
    ),
    "paint": request("paint", user("A cow."), options=options(candidates=2, image={"previews": 1})),
    "film": request("film", user("A cow jumps."), options=options(video={"duration": "8s", "sound": True})),
}
LIVE = [
    TransformLiveRequest(start=request("converse", options=options(live={"transcribeInput": True}))),
    TransformLiveRequest(turn=user(Part(stream=1, media_type="audio/L16; rate=16000; channels=1"))),
    TransformLiveRequest(chunk=InputChunk(stream=1, data=b"\0" * 640)),
    TransformLiveRequest(chunk=InputChunk(stream=1, last=True)),
    TransformLiveRequest(respond=Respond()),
    TransformLiveRequest(interrupt=Interrupt(index=1, played=Duration(nanos=500_000_000))),
]


@pytest.mark.parametrize("message", [*SHAPES.values(), *LIVE], ids=[*SHAPES, *(f"live-{n}" for n in range(len(LIVE)))])
def test_every_shape_survives_both_serialisations(message: Any) -> None:
    kind = type(message)
    assert kind.FromString(message.SerializeToString()) == message
    assert json_format.Parse(json_format.MessageToJson(message), kind()) == message
    for field, _ in message.options.ListFields() if isinstance(message, TransformRequest) else ():
        assert field.name != "extra"


@pytest.fixture
async def stub() -> AsyncIterator[Any]:
    async with sidecar(FOLDER, "shapes_provider:Shapes", "shapes") as target:
        channel = open_channel(target)
        stub: Any = provider_pb2_grpc.MediaProviderStub(channel)
        await stub.Describe(DescribeRequest(), wait_for_ready=True)
        yield stub
        await channel.close(None)


async def events_of(call: Any) -> list[TransformEvent]:
    events = [event async for response in call for event in response.events]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[0].WhichOneof("event") == "started"
    assert [event.WhichOneof("event") for event in events].count("completed") == 1
    assert events[-1].WhichOneof("event") == "completed"
    assert TransformResponse.FromString(TransformResponse(events=events).SerializeToString()).events == events
    return events


def starts(events: list[TransformEvent]) -> list[Any]:
    return [event.output_started for event in events if event.HasField("output_started")]


def parts(events: list[TransformEvent]) -> list[Part]:
    return [event.output_completed.part for event in events if event.output_completed.HasField("part")]


def text(events: list[TransformEvent], index: int) -> str:
    return "".join(event.output_delta.text for event in events if event.output_delta.index == index)


def data(events: list[TransformEvent], index: int) -> bytes:
    return b"".join(event.output_delta.data for event in events if event.output_delta.index == index)


def check_chat(events: list[TransformEvent]) -> None:
    reasoning, *calls = starts(events)
    assert [call.tool_call.id for call in calls] == ["call-1", "call-2"]
    assert "weather" in text(events, reasoning.index)
    states = [event.output_delta.vendor_state.data for event in events if event.output_delta.HasField("vendor_state")]
    assert states == [b"thought-signature"]
    assert events[-1].completed.usage.units["reasoning-token"] == 5


def check_json(events: list[TransformEvent]) -> None:
    assert starts(events)[0].media_type == "application/json"
    assert text(events, 0) == '{"zebra": 12, "apple": 9007199254740993}'


def check_embed(events: list[TransformEvent]) -> None:
    vectors = [(part.embedding.input, list(part.embedding.values)) for part in parts(events)]
    assert vectors == [(0, [1.0] * 3), (1, [2.0] * 3), (2, [3.0] * 3)]


def check_judge(events: list[TransformEvent]) -> None:
    scores = parts(events)[0].scores.scores
    assert [(score.input, score.value) for score in scores[:2]] == [(1, 2.0), (0, 0.0)]
    assert (scores[2].label, scores[2].flagged, scores[2].grade) == ("violence", False, "NEGLIGIBLE")


def check_transcribe(events: list[TransformEvent]) -> None:
    segments = [event.output_delta.segment for event in events if event.output_delta.HasField("segment")]
    assert [(s.id, s.speaker, s.provisional) for s in segments] == [
        ("1", "", True),
        ("1", "A", False),
        ("2", "B", False),
    ]
    assert [word.text for word in segments[1].words] == ["hello", "there"]


def check_speak(events: list[TransformEvent]) -> None:
    assert data(events, 0) == b"RIFFsampleHello."
    done = next(event.output_completed for event in events if event.HasField("output_completed"))
    assert (done.info.sample_rate, done.size_bytes) == (24000, 16)
    assert len(done.sha256) == 64


def check_paint(events: list[TransformEvent]) -> None:
    made = starts(events)
    previews = {start.index: start.preview_of for start in made if start.HasField("preview_of")}
    images = [start.index for start in made if not start.HasField("preview_of")]
    assert sorted(previews.values()) == images
    assert [start.candidate for start in made if start.index in images] == [0, 1]
    assert [data(events, index) for index in images] == [b"sharp 0", b"sharp 1"]


def check_film(events: list[TransformEvent]) -> None:
    progress = [event.progress for event in events if event.HasField("progress")]
    assert progress[0].queue_position == 2
    assert [step.fraction for step in progress[1:]] == [0.25, 0.5, 1.0]
    assert [event.checkpoint.resume_token for event in events if event.HasField("checkpoint")] == [b"job-7"]
    assert events[-1].completed.provenance.vendor_request_id == "req-1"
    assert events[-1].completed.usage.nano_cost == 1_200_000_000


CHECKS: dict[str, Callable[[list[TransformEvent]], None]] = {
    "chat": check_chat,
    "json": check_json,
    "embed": check_embed,
    "judge": check_judge,
    "transcribe": check_transcribe,
    "speak": check_speak,
    "paint": check_paint,
    "film": check_film,
}


async def test_every_shape_through_a_running_sidecar(stub: Any) -> None:
    for name, shape in SHAPES.items():
        CHECKS[name](await events_of(stub.Transform(shape)))


async def test_tool_results_and_vendor_state_come_back_unchanged(stub: Any) -> None:
    first = await events_of(stub.Transform(SHAPES["chat"]))
    answer = Turn(role=Role.ROLE_ASSISTANT)
    for start in starts(first):
        part = answer.parts.add()
        if start.HasField("tool_call"):
            part.tool_call.CopyFrom(start.tool_call)
            part.tool_call.arguments = text(first, start.index)
        else:
            part.reasoning.text = text(first, start.index)
    for event in first:
        if event.output_delta.HasField("vendor_state"):
            answer.parts[event.output_delta.index].vendor_state.CopyFrom(event.output_delta.vendor_state)
    results = [ToolResult(call_id=call, parts=[Part(text="sunny")]) for call in ("call-1", "call-2")]
    again = TransformRequest()
    again.CopyFrom(SHAPES["chat"])
    again.turns.extend([answer, Turn(role=Role.ROLE_TOOL, parts=[Part(tool_result=result) for result in results])])

    second = await events_of(stub.Transform(again))

    assert text(second, 0) == "It is sunny (thought-signature)."
    assert [e.output_delta.citation.uri for e in second if e.output_delta.HasField("citation")] == [
        "https://example.org/weather"
    ]


async def test_a_video_job_is_resumed_by_its_token(stub: Any) -> None:
    events = await events_of(stub.Transform(request("film", user("A cow."), resume_token=b"job-7")))
    assert data(events, 0) == b"resumed"


async def test_live_audio_in_both_directions_with_interruption(stub: Any) -> None:
    call = stub.TransformLive()
    for piece in LIVE[:-1]:
        await call.write(piece)
    seen: list[TransformEvent] = []
    while not any(event.output_delta.data for event in seen):
        seen += (await call.read()).events
    await call.write(LIVE[-1])
    await call.done_writing()
    while (response := await call.read()) is not grpc.aio.EOF:
        seen += response.events
    events = seen

    heard, speech = starts(events)
    assert (heard.role, text(events, heard.index)) == (Role.ROLE_USER, "640 bytes")
    assert speech.media_type == "audio/L16; rate=24000; channels=1"
    signals = [event.signal for event in events if event.HasField("signal")]
    assert signals[0].offset.nanos == 500_000_000
    assert events[-1].WhichOneof("event") == "completed"


async def test_provenance_holds_what_a_generation_prompt_needs(stub: Any) -> None:
    """{input, options, modelId, modelName, provider, transformationType, timestamp, metadata}."""
    metadata = (
        ("x-mediaconduit-generation", "generations/g-1"),
        ("x-mediaconduit-source", "file:shapes@abc"),
        ("x-mediaconduit-queue-ms", "1500"),
    )
    asked = SHAPES["film"]
    events = await events_of(stub.Transform(asked, metadata=metadata))
    started, provenance = events[0].started, events[-1].completed.provenance

    assert (started.generation, started.model) == ("generations/g-1", "providers/shapes/models/film")
    assert (provenance.provider, provenance.source) == ("providers/shapes", "file:shapes@abc")
    assert provenance.queue_duration.ToMilliseconds() >= 1500
    assert provenance.capability == "text-to-video"
    assert provenance.model_display_name
    assert provenance.start_time.seconds > 0
    assert provenance.vendor_model == "film-2026"


async def test_records_of_calls_outlive_them(stub: Any) -> None:
    await events_of(stub.Transform(SHAPES["film"], metadata=(("x-mediaconduit-generation", "generations/kept"),)))
    async with asyncio.timeout(10):
        async for response in stub.WatchGenerations(WatchGenerationsRequest()):
            record = response.generations[0]
            break
    assert (record.name, record.usage.units["video-millisecond"]) == ("generations/kept", 8000)
    assert record.capability == "text-to-video"
