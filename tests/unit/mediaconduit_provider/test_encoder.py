from __future__ import annotations

import hashlib
from typing import Any

import pytest
from mediaconduit.streams import CHUNK_BYTES, Mailbox
from mediaconduit.v1.events_pb2 import OutputKind, TokenLogprob, TransformEvent
from mediaconduit_provider import (
    Asset,
    Citation,
    Delta,
    Embedding,
    Facts,
    Finish,
    FinishReason,
    MediaInfo,
    Notice,
    Output,
    Part,
    Progress,
    Reasoning,
    Scores,
    Segment,
    ToolCall,
    ToolResult,
    Transcript,
    Usage,
    VendorState,
)
from mediaconduit_provider.encoder import Encoder
from mediaconduit_provider.packing import Item, Packer

TEXT, DATA = OutputKind.OUTPUT_KIND_TEXT, OutputKind.OUTPUT_KIND_DATA
REASONING, CALL = OutputKind.OUTPUT_KIND_REASONING, OutputKind.OUTPUT_KIND_TOOL_CALL


class Tape:
    """What an author yields, and the events it becomes."""

    def __init__(self) -> None:
        self.mailbox: Mailbox[Item] = Mailbox(1 << 30)
        self.encoder = Encoder(self.mailbox, lambda kind: "text/plain" if kind == TEXT else "audio/wav")

    async def play(self, *items: Any) -> list[TransformEvent]:
        for item in items:
            if type(item) is str:
                self.encoder.text(item)
            elif type(item) is bytes:
                self.encoder.data(item)
            else:
                await self.encoder.other(item)
        self.encoder.close_outputs()
        self.mailbox.close()
        return list(Packer().pack(await self.mailbox.take()).events)


async def play(*items: Any) -> list[TransformEvent]:
    return await Tape().play(*items)


def starts(events: list[TransformEvent]) -> list[Any]:
    return [event.output_started for event in events if event.HasField("output_started")]


def deltas(events: list[TransformEvent], index: int) -> list[Any]:
    return [e.output_delta for e in events if e.HasField("output_delta") and e.output_delta.index == index]


def order(events: list[TransformEvent]) -> list[tuple[str, int]]:
    names = ("output_started", "output_delta", "output_completed")
    kinds = [(event.WhichOneof("event") or "", event) for event in events]
    return [(kind.removeprefix("output_"), getattr(event, kind).index) for kind, event in kinds if kind in names]


async def test_plain_text_is_one_output_completed_at_the_end() -> None:
    events = await play("a", "b")
    assert order(events) == [("started", 0), ("delta", 0), ("completed", 0)]
    assert (starts(events)[0].kind, starts(events)[0].media_type) == (TEXT, "text/plain")


async def test_text_and_data_run_beside_each_other() -> None:
    events = await play("a", b"1", "b", b"2")
    assert [start.kind for start in starts(events)] == [TEXT, DATA]
    assert [delta.text for delta in deltas(events, 0)] == ["a", "b"]
    assert b"".join(delta.data for delta in deltas(events, 1)) == b"12"


async def test_data_is_hashed_and_counted() -> None:
    completed = [event.output_completed for event in await play(b"12", b"3") if event.HasField("output_completed")]
    assert (completed[0].size_bytes, completed[0].sha256) == (3, hashlib.sha256(b"123").hexdigest())


async def test_reasoning_text_and_reasoning_again_are_three_outputs_in_order() -> None:
    events = await play(Reasoning(text="hm"), Reasoning(text="m"), "so", Reasoning(text="but"))
    assert [start.kind for start in starts(events)] == [REASONING, TEXT, REASONING]
    assert [delta.text for delta in deltas(events, 0)] == ["hmm"]
    assert order(events)[2] == ("completed", 0), "the first ends before the second begins"


async def test_sealed_reasoning_travels_whole_with_its_vendor_state() -> None:
    events = await play(Reasoning(redacted=True), VendorState(provider="v", data=b"s"), "so")
    assert deltas(events, 0)[0].vendor_state.data == b"s"
    assert next(e for e in events if e.HasField("output_completed")).output_completed.part.reasoning.redacted


async def test_a_tool_call_is_complete_at_once_with_arguments_as_text() -> None:
    events = await play("look", ToolCall(id="1", name="f", arguments="{}"), ToolResult(call_id="1"))
    assert order(events)[2:6] == [("completed", 0), ("started", 1), ("delta", 1), ("completed", 1)]
    assert (starts(events)[1].tool_call.name, starts(events)[1].tool_call.arguments) == ("f", "")
    assert starts(events)[2].call_id == "1"


async def test_a_tool_call_may_be_streamed_by_its_output() -> None:
    output = Output("", tool_call=ToolCall(id="1", name="f"))
    events = await play(output.text('{"a"'), output.text(":1}"), output.done())
    assert starts(events)[0].kind == CALL and starts(events)[0].tool_call.id == "1"
    assert "".join(delta.text for delta in deltas(events, 0)) == '{"a":1}'


async def test_outputs_with_names_are_fed_in_any_order() -> None:
    left, right = Output("audio/wav", name="left"), Output("audio/wav", name="right")
    info = MediaInfo(sample_rate=8000)
    events = await play(left, right.data(b"r"), left.data(b"l"), right.done(info), left.data(b"L"))
    assert [(start.index, start.name) for start in starts(events)] == [(0, "left"), (1, "right")]
    assert b"".join(delta.data for delta in deltas(events, 0)) == b"lL"
    ends = [event.output_completed for event in events if event.HasField("output_completed")]
    assert [(end.index, end.info.sample_rate, end.size_bytes) for end in ends] == [(1, 8000, 1), (0, 0, 2)]


async def test_plain_text_goes_into_the_output_that_was_begun_for_it() -> None:
    events = await play(Output("text/markdown"), "# hi")
    assert [start.media_type for start in starts(events)] == ["text/markdown"]
    assert [delta.text for delta in deltas(events, 0)] == ["# hi"]


async def test_a_preview_points_at_its_output() -> None:
    image = Output("image/png")
    preview = Output("image/png", preview_of=image)
    events = await play(image, preview.data(b"p"), preview.done(), image.data(b"i"))
    assert starts(events)[1].HasField("preview_of") and starts(events)[1].preview_of == 0
    assert not starts(events)[0].HasField("preview_of")


async def test_segments_form_one_transcript() -> None:
    events = await play(Segment(text="one", id="1"), Segment(text="two", id="2"))
    assert [start.kind for start in starts(events)] == [OutputKind.OUTPUT_KIND_TRANSCRIPT]
    assert [delta.segment.text for delta in deltas(events, 0)] == ["one", "two"]


@pytest.mark.parametrize(
    ("item", "field", "kind"),
    [
        (Transcript(language="en"), "transcript", "OUTPUT_KIND_TRANSCRIPT"),
        (Embedding(values=[1.0]), "embedding", "OUTPUT_KIND_EMBEDDING"),
        (Scores(), "scores", "OUTPUT_KIND_SCORES"),
        (Part(asset=Asset(uri="https://x", media_type="video/mp4")), "asset", "OUTPUT_KIND_DATA"),
    ],
)
async def test_what_is_not_streamed_travels_in_its_completion(item: Any, field: str, kind: str) -> None:
    events = await play(item)
    assert order(events) == [("started", 0), ("completed", 0)]
    assert OutputKind.Name(starts(events)[0].kind) == kind
    assert events[1].output_completed.part.WhichOneof("content") == field


async def test_a_part_with_text_or_data_is_streamed() -> None:
    part = Part(text="cited", citations=[Citation(uri="https://x")], vendor_state=VendorState(data=b"s"))
    events = await play(part, Part(media_type="image/png", name="thumbnail", data=b"p"))
    assert [delta.WhichOneof("delta") for delta in deltas(events, 0)] == ["text", "citation", "vendor_state"]
    assert (starts(events)[1].name, deltas(events, 1)[0].data) == ("thumbnail", b"p")


async def test_citations_belong_to_the_output_that_is_open() -> None:
    events = await play("a", Citation(uri="https://x"), "b")
    assert [delta.WhichOneof("delta") for delta in deltas(events, 0)] == ["text", "citation", "text"]


async def test_log_probabilities_stay_with_their_text() -> None:
    output = Output("text/plain")
    events = await play(output.text("a", [TokenLogprob(token=b"a", logprob=-0.5)]), output.text("b"))
    assert [(delta.text, len(delta.logprobs)) for delta in deltas(events, 0)] == [("a", 1), ("b", 0)]


async def test_the_last_usage_the_facts_and_every_finish_are_kept_for_the_end() -> None:
    tape = Tape()
    stop = Finish(reason=FinishReason.FINISH_REASON_LENGTH)
    events = await tape.play(
        Usage(units={"image": 1}),
        Facts(vendor_model="m"),
        Facts(vendor_request_id="r"),
        Usage(units={"image": 2}),
        stop,
    )
    assert tape.encoder.usage is not None and tape.encoder.usage.units["image"] == 2
    assert (tape.encoder.facts.vendor_model, tape.encoder.facts.vendor_request_id) == ("m", "r")
    assert tape.encoder.finishes == [stop]
    assert [event.WhichOneof("event") for event in events] == ["usage", "usage"]


async def test_a_call_whose_author_said_nothing_about_its_end_stopped() -> None:
    tape = Tape()
    await tape.play("a")
    assert [finish.reason for finish in tape.encoder.finishes] == [FinishReason.FINISH_REASON_STOP]


async def test_progress_and_notices_are_passed_on() -> None:
    events = await play(Progress(fraction=0.5), Notice(code="X"))
    assert events[0].progress.fraction == 0.5 and events[1].notice.code == "X"


async def test_what_authors_change_after_the_yield_does_not_change_the_event() -> None:
    tape = Tape()
    progress = Progress(fraction=0.1)
    await tape.encoder.other(progress)
    progress.fraction = 0.9
    assert (await tape.play())[0].progress.fraction == 0.1


async def test_large_content_is_cut() -> None:
    size = CHUNK_BYTES * 2 + 1
    tape = Tape()
    await tape.encoder.other(bytearray(size))
    await tape.encoder.other(Output("text/plain").text("y" * size))
    items = [item for item in await _items(tape) if isinstance(item, str | bytes)]
    assert [len(item) for item in items] == [CHUNK_BYTES, CHUNK_BYTES, 1] * 2


async def _items(tape: Tape) -> list[Item]:
    return await tape.mailbox.take()


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ((object(),), TypeError),
        ((Part(),), ValueError),
        ((Part(stream=1),), ValueError),
        ((VendorState(data=b"x"),), ValueError),
        ((ToolCall(id="1"), VendorState(data=b"x")), ValueError),
        ((Embedding(values=[0.5] * 1_100_000),), ValueError),
        ((Delta(Output("text/plain"), data=b"bytes"),), ValueError),
    ],
    ids=["anything", "empty", "stream", "no-output", "complete-output", "too-large", "bytes-as-text"],
)
async def test_what_cannot_be_an_event_is_the_authors_error(items: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        await play(*items)


async def test_an_output_is_not_fed_after_it_was_done_nor_begun_twice() -> None:
    output = Output("text/plain")
    with pytest.raises(ValueError, match="after it was done"):
        await play(output.done(), output.text("late"))
    with pytest.raises(ValueError, match="begins once"):
        await play(output)
