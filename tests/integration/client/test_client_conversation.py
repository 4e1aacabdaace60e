"""Conversations send back what was said, unchanged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mediaconduit import Client, tool_result
from mediaconduit.errors import UnavailableError
from mediaconduit.status import abort
from mediaconduit.v1 import events_pb2 as e
from mediaconduit.v1 import media_pb2
from mediaconduit.v1.media_pb2 import ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_TOOL, ROLE_USER, Part, ToolCall, VendorState


async def test_turns_tool_calls_and_vendor_state_go_back_as_they_came(server: Any, mc: Client) -> None:
    state = VendorState(provider="v", data=b"\x00seal")

    async def call_tool(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await out.send(e.OutputStarted(index=0, kind=e.OUTPUT_KIND_REASONING), e.OutputDelta(index=0, text="let me "))
        await out.send(e.OutputDelta(index=0, text="see"), e.OutputDelta(index=0, vendor_state=state))
        call = ToolCall(id="c1", name="weather")
        await out.send(e.OutputStarted(index=1, kind=e.OUTPUT_KIND_TOOL_CALL, tool_call=call))
        await out.send(e.OutputDelta(index=1, text='{"city": '), e.OutputDelta(index=1, text='"Wien"}'))
        await out.send(e.OutputStarted(index=2, kind=e.OUTPUT_KIND_TEXT, candidate=1), e.OutputDelta(index=2, text="-"))
        await out.send(*(e.OutputCompleted(index=index) for index in range(3)))
        await out.complete()

    chat = mc.model("m").conversation(system="be brief", text={"temperature": 0})
    server.transform = call_tool
    first = await chat.send("weather?")
    server.transform = lambda _, context: server.say(["sunny"], context)
    await chat.send(tool_result(first.tool_calls[0], "18 °C"), seed=4)
    turns = server.requests[1].turns
    assert [turn.role for turn in turns] == [ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL]
    assert turns[2].parts[0] == Part(reasoning=media_pb2.Reasoning(text="let me see"), vendor_state=state)
    assert turns[2].parts[1].tool_call == ToolCall(id="c1", name="weather", arguments='{"city": "Wien"}')
    assert len(turns[2].parts) == 2  # the other candidate was not chosen
    assert turns[3].parts[0].tool_result.call_id == "c1"
    assert server.requests[1].options.seed == 4
    assert server.requests[1].options.text.HasField("temperature")
    assert server.requests[0].affinity_key == server.requests[1].affinity_key != ""
    assert list(server.requests[1].parent_generations) == ["generations/1"]


async def test_a_failed_call_leaves_the_conversation_as_it_was(server: Any, mc: Client) -> None:
    async def fail(_: Any, context: Any) -> None:
        await abort(context, UnavailableError("not now"))

    chat = mc.model("m").conversation()
    server.transform = fail
    with pytest.raises(UnavailableError):
        await chat.send("a")
    assert chat.turns == []
    server.transform = lambda _, context: server.say(["b"], context)
    await chat.send("a")
    assert [turn.role for turn in chat.turns] == [ROLE_USER, ROLE_ASSISTANT]


async def test_an_answer_that_was_left_is_not_kept(server: Any, mc: Client) -> None:
    chat = mc.model("m").conversation()
    server.transform = server.endless
    async for event in chat.stream("a"):
        if event.text:
            break
    await server.cancelled.wait()
    assert chat.turns == []


async def test_what_was_saved_to_a_file_is_sent_back_from_it(server: Any, mc: Client, tmp_path: Path) -> None:
    async def draw(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await out.send(e.OutputStarted(kind=e.OUTPUT_KIND_DATA, media_type="image/png"), e.OutputDelta(data=b"png"))
        await out.send(e.OutputDelta(vendor_state=VendorState(provider="v", data=b"id")), e.OutputCompleted())
        await out.complete()

    chat = mc.model("m").conversation()
    server.transform = draw
    await chat.send("a cat", to=tmp_path / "cat.png")
    await chat.send("blue")
    sent = server.requests[1].turns[1].parts[0]
    assert (sent.data, sent.media_type, sent.vendor_state.data) == (b"png", "image/png", b"id")


async def test_two_calls_at_once_are_refused(server: Any, mc: Client) -> None:
    chat = mc.model("m").conversation()
    server.transform = server.endless
    stream = chat.stream("a")
    await anext(stream)
    with pytest.raises(RuntimeError, match="one call at a time"):
        await chat.send("b")
    await stream.aclose()
    await asyncio.wait_for(server.cancelled.wait(), 10)
    server.transform = lambda _, context: server.say(["b"], context)
    await chat.send("b")
