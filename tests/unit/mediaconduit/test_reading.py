"""From messages to events and results, without a call."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit import events
from mediaconduit.errors import InternalError
from mediaconduit.gathering import Gatherer
from mediaconduit.reading import EventReader
from mediaconduit.results import Result
from mediaconduit.v1 import events_pb2 as e
from mediaconduit.v1 import media_pb2 as m


def read(*messages: e.TransformEvent) -> list[events.Event]:
    reader = EventReader()
    return [reader.read(message) for message in messages]


async def gathered(*messages: e.TransformEvent) -> Result:
    gatherer = Gatherer(None)
    for message in messages:
        await gatherer.take(message)
    result = await gatherer.take(e.TransformEvent(completed=e.Completed()))
    assert result is not None
    return result


def started(index: int = 0, **fields: Any) -> e.TransformEvent:
    return e.TransformEvent(output_started=e.OutputStarted(index=index, **fields))


def delta(index: int = 0, **fields: Any) -> e.TransformEvent:
    return e.TransformEvent(output_delta=e.OutputDelta(index=index, **fields))


def completed(index: int = 0, **fields: Any) -> e.TransformEvent:
    return e.TransformEvent(output_completed=e.OutputCompleted(index=index, **fields))


def test_progress_says_what_is_unknown() -> None:
    (known,) = read(e.TransformEvent(sequence=3, progress=e.Progress(fraction=0, queue_position=0, stage="queued")))
    (unknown,) = read(e.TransformEvent(progress=e.Progress()))
    assert known == events.Progress(3, 0.0, "queued", "", 0, None, [])
    assert isinstance(unknown, events.Progress)
    assert (unknown.fraction, unknown.queue_position, unknown.remaining) == (None, None, None)


def test_events_match_by_position_and_by_name() -> None:
    match read(e.TransformEvent(sequence=1, started=e.Started(generation="generations/1", model="m")))[0]:
        case events.Started(1, "generations/1", model=model, text=""):
            assert model == "m"
        case other:
            pytest.fail(f"{other} does not match")


def test_news_of_a_later_contract_are_plain_events() -> None:
    assert read(e.TransformEvent(sequence=9)) == [events.Event(9)]


def test_more_of_an_output_that_never_started_is_an_error() -> None:
    with pytest.raises(InternalError, match="output 3"):
        read(delta(3, text="x"))


def test_previews_are_not_the_answer() -> None:
    messages = [started(0, kind=e.OUTPUT_KIND_DATA), started(1, kind=e.OUTPUT_KIND_DATA, preview_of=0)]
    seen = read(*messages, delta(1, data=b"early"), delta(0, data=b"final"))
    assert b"".join(event.data for event in seen) == b"final"
    assert isinstance(seen[2], events.PreviewDelta)


def test_data_that_is_shorter_than_said_is_damaged() -> None:
    with pytest.raises(InternalError, match="2 bytes of 3"):
        read(started(kind=e.OUTPUT_KIND_DATA), delta(data=b"ab"), completed(size_bytes=3))


async def test_transcripts_read_as_text_and_replace_segments_by_id() -> None:
    segment = m.Segment
    messages = [
        started(kind=e.OUTPUT_KIND_TRANSCRIPT),
        delta(segment=segment(id="1", text="Helo", provisional=True)),
        delta(segment=segment(id="1", text="Hello")),
        delta(segment=segment(id="2", text="there.")),
        delta(segment=segment(id="3", text="laughter", sound=True)),
        delta(segment=segment(id="4", text=" Bye")),
        completed(),
    ]
    result = await gathered(*messages)
    assert result.text == "".join(event.text for event in read(*messages)) == "Hello there. Bye"
    assert result.transcript is not None
    assert [s.text for s in result.transcript.segments] == ["Hello", "there.", "laughter", " Bye"]


async def test_vectors_and_scores() -> None:
    result = await gathered(
        started(0, kind=e.OUTPUT_KIND_EMBEDDING),
        completed(0, part=m.Part(embedding=m.Embedding(values=[2.0], input=1))),
        started(1, kind=e.OUTPUT_KIND_EMBEDDING),
        completed(1, part=m.Part(embedding=m.Embedding(values=[1.0], input=0))),
        started(2, kind=e.OUTPUT_KIND_SCORES),
        completed(2, part=m.Part(scores=m.Scores(scores=[m.Score(input=1, value=0.5)]))),
    )
    assert [list(vector.values) for vector in result.embeddings] == [[1.0], [2.0]]
    assert result.scores is not None
    assert result.scores.scores[0].value == 0.5


async def test_citations_state_names_and_candidates() -> None:
    state = m.VendorState(provider="v", data=b"1")
    result = await gathered(
        started(0, kind=e.OUTPUT_KIND_TEXT, media_type="application/json", name="answer"),
        delta(0, text='{"a"', citation=None),
        delta(0, citation=m.Citation(uri="https://a")),
        delta(0, vendor_state=state),
        delta(0, text=": 1}", logprobs=[e.TokenLogprob(token=b"1", logprob=-0.5)]),
        started(1, kind=e.OUTPUT_KIND_TEXT, candidate=1),
        delta(1, text="other"),
    )
    assert result.json() == {"a": 1}
    assert len(result.turn.parts) == 1
    part = result.turn.parts[0]
    assert (part.name, part.media_type, part.vendor_state) == ("answer", "application/json", state)
    assert part.citations[0].uri == "https://a"
    assert result.outputs[1].text == "other"
    assert result.outputs[0].logprobs[0].token == b"1"
    assert result.to_dict()["outputs"][1]["candidate"] == 1


async def test_an_answer_that_is_no_json_says_so() -> None:
    result = await gathered(started(kind=e.OUTPUT_KIND_TEXT), delta(text="{"))
    with pytest.raises(InternalError, match="no JSON"):
        result.json()


async def test_hosted_tools_are_not_for_the_caller_but_go_back() -> None:
    hosted = m.ToolCall(id="1", name="search", hosted=True)
    result = await gathered(
        started(0, kind=e.OUTPUT_KIND_TOOL_CALL, tool_call=hosted),
        delta(0, text="{}"),
        started(1, kind=e.OUTPUT_KIND_TOOL_RESULT, call_id="1"),
        delta(1, text="found"),
    )
    assert result.tool_calls == []
    assert result.turn.parts[0].tool_call.arguments == "{}"
    assert result.turn.parts[1].tool_result == m.ToolResult(call_id="1", parts=[m.Part(text="found")])
    assert result.text == ""
