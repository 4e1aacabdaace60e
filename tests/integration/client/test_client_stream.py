"""Events as they come, and what ends a call."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from mediaconduit import Client, Stream, connect, events
from mediaconduit.errors import (
    CallCancelledError,
    CallTimeoutError,
    InternalError,
    NotFoundError,
    Reason,
    UnavailableError,
)
from mediaconduit.status import abort
from mediaconduit.v1 import events_pb2 as e
from mediaconduit.v1.media_pb2 import ROLE_USER, Part, Segment, ToolCall


async def drain(stream: Stream) -> None:
    while True:
        await anext(stream)


async def test_events_come_in_order_and_their_text_is_the_answer(server: Any, mc: Client) -> None:
    server.transform = lambda _, context: server.say(["Hello", ", ", "world"], context)
    seen = [event async for event in mc.model("p/m").stream("hi")]
    assert [type(event).__name__ for event in seen] == [
        "Started",
        "OutputStarted",
        "TextDelta",
        "TextDelta",
        "TextDelta",
        "OutputCompleted",
        "Completed",
    ]
    assert "".join(event.text for event in seen) == "Hello, world"
    assert b"".join(event.data for event in seen) == b""
    assert server.requests[0].turns[0].parts[0].text == "hi"


async def test_text_of_events_is_neither_reasoning_nor_tool_arguments_nor_what_the_caller_said(
    server: Any, mc: Client
) -> None:
    async def mixed(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await out.send(e.OutputStarted(index=0, kind=e.OUTPUT_KIND_REASONING), e.OutputDelta(index=0, text="hm"))
        await out.send(e.OutputStarted(index=1, kind=e.OUTPUT_KIND_TOOL_CALL, tool_call=ToolCall(id="1", name="f")))
        await out.send(e.OutputDelta(index=1, text='{"a":1}'))
        await out.send(e.OutputStarted(index=2, kind=e.OUTPUT_KIND_TRANSCRIPT, role=ROLE_USER))
        await out.send(e.OutputDelta(index=2, segment=Segment(text="me")))
        await out.send(e.OutputStarted(index=3, kind=e.OUTPUT_KIND_TEXT), e.OutputDelta(index=3, text="Answer"))
        await out.send(e.OutputStarted(index=4, kind=e.OUTPUT_KIND_TRANSCRIPT))
        await out.send(e.OutputDelta(index=4, segment=Segment(id="a", text="maybe", provisional=True)))
        await out.send(e.OutputDelta(index=4, segment=Segment(id="a", text="one")))
        await out.send(e.OutputDelta(index=4, segment=Segment(id="b", text="two")))
        await out.send(*(e.OutputCompleted(index=index) for index in range(5)))
        await out.complete()

    server.transform = mixed
    async with mc.model("m").stream("x", gather=True) as stream:
        seen = [event async for event in stream]
        result = stream.result
    assert "".join(event.text for event in seen) == "Answerone two" == result.text
    assert [event.reasoning for event in seen if isinstance(event, events.ReasoningDelta)] == ["hm"]
    assert [event.arguments for event in seen if isinstance(event, events.ToolCallDelta)] == ['{"a":1}']
    assert result.reasoning == "hm"
    assert result.tool_calls == [ToolCall(id="1", name="f", arguments='{"a":1}')]


async def test_an_output_that_was_not_streamed_is_in_its_completed_event(server: Any, mc: Client) -> None:
    async def whole(_: Any, context: Any) -> None:
        out = server.out(context)
        await out.start()
        await out.send(e.OutputStarted(kind=e.OUTPUT_KIND_TEXT), e.OutputCompleted(part=Part(text="all")))
        await out.complete()

    server.transform = whole
    assert [event.text async for event in mc.model("m").stream("x") if event.text] == ["all"]


async def test_break_cancels_the_call(server: Any, mc: Client) -> None:
    server.transform = server.endless
    stream = mc.model("m").stream("x")  # held on to, and cancelled all the same
    async for event in stream:
        if event.text:
            break
    await server.cancelled.wait()
    with pytest.raises(CallCancelledError):
        await anext(stream)


async def test_an_exception_in_the_loop_cancels_the_call(server: Any, mc: Client) -> None:
    server.transform = server.endless

    async def fail() -> None:
        async for event in mc.model("m").stream("x"):
            if event.text:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await server.cancelled.wait()


async def test_dropping_the_stream_cancels_the_call(server: Any, mc: Client) -> None:
    server.transform = server.endless
    stream = mc.model("m").stream("x")
    await anext(stream)
    del stream
    gc.collect()
    await server.cancelled.wait()


async def test_leaving_async_with_cancels_the_call(server: Any, mc: Client) -> None:
    server.transform = server.endless
    async with mc.model("m").stream("x") as stream:
        await anext(stream)
    await server.cancelled.wait()


async def test_cancelling_the_task_cancels_the_call_and_is_raised(server: Any, mc: Client) -> None:
    server.transform = server.endless
    begun = asyncio.Event()

    async def work() -> None:
        async for _ in mc.model("m").stream("x"):
            begun.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await begun.wait()
        task.cancel()
    assert task.cancelled()
    await server.cancelled.wait()


async def test_closing_the_client_ends_its_streams_with_a_typed_error(server: Any) -> None:
    server.transform = server.endless
    async with connect(server.target) as client:
        stream = client.model("m").stream("x")
        await anext(stream)
    with pytest.raises(CallCancelledError):
        await drain(stream)
    with pytest.raises(RuntimeError, match="closed"):
        await client.models()


async def test_a_cancelled_status_of_the_server_is_a_typed_error_and_not_a_cancellation(
    server: Any, mc: Client
) -> None:
    async def refuse(_: Any, context: Any) -> None:
        await abort(context, CallCancelledError("the operator ended it"))

    server.transform = refuse
    with pytest.raises(CallCancelledError, match="operator"):
        await mc.model("m").transform("x")


async def test_errors_keep_reason_hint_and_metadata(server: Any, mc: Client) -> None:
    async def refuse(_: Any, context: Any) -> None:
        await abort(
            context,
            NotFoundError(
                "no model 'm'", reason=Reason.MODEL_NOT_FOUND, hint="did you mean 'n'?", metadata={"model": "m"}
            ),
        )

    server.transform = refuse
    with pytest.raises(NotFoundError) as caught:
        await mc.model("m").transform("x")
    assert caught.value.reason is Reason.MODEL_NOT_FOUND
    assert caught.value.hint == "did you mean 'n'?"
    assert caught.value.metadata == {"model": "m"}


async def test_the_deadline_ends_the_call(server: Any, mc: Client) -> None:
    server.transform = server.endless
    with pytest.raises(CallTimeoutError):
        await mc.model("m").transform("x", timeout=0.05)
    await server.cancelled.wait()


async def test_nobody_listening_says_how_to_start_a_broker() -> None:
    async with connect("unix:/nonexistent/mediaconduit") as client:
        with pytest.raises(UnavailableError, match="mediaconduit up"):
            await client.model("m").transform("x")


async def test_an_end_without_completed_is_an_error(server: Any, mc: Client) -> None:
    async def cut(_: Any, context: Any) -> None:
        await server.out(context).start()

    server.transform = cut
    with pytest.raises(InternalError, match="complete"):
        await mc.model("m").transform("x")


async def test_an_error_after_completed_is_raised(server: Any, mc: Client) -> None:
    async def late(_: Any, context: Any) -> None:
        await server.say(["x"], context)
        await abort(context, InternalError("too late"))

    server.transform = late
    with pytest.raises(InternalError, match="too late"):
        await mc.model("m").transform("x")


async def test_calls_carry_key_and_provider(server: Any, mc: Client) -> None:
    server.transform = lambda _, context: server.say(["x"], context)
    await mc.provider("cowsay").model("a/b").transform("x")
    await mc.model("default").transform("x")
    assert server.requests[0].model == "providers/cowsay/models/a/b"
    assert server.metadata[0]["x-mediaconduit-provider"] == "cowsay"
    assert server.metadata[0]["authorization"] == "Bearer key-1"
    assert "x-mediaconduit-provider" not in server.metadata[1]
