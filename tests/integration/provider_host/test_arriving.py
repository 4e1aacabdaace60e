"""Input in pieces: uploads, and conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from mediaconduit.errors import Reason
from mediaconduit.status import from_rpc_error
from mediaconduit.v1 import provider_pb2_grpc
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit.v1.transform_pb2 import (
    InputChunk,
    Interrupt,
    Respond,
    TransformLiveRequest,
)

from .conftest import Sidecar, collect, error_of, options, request, text_of

CHUNK = 256 * 1024


def start(model: str, *parts: Part, **fields: Any) -> TransformLiveRequest:
    return TransformLiveRequest(start=request(model, "", *parts, **fields))


def chunks(stream: int, size: int, **fields: Any) -> Iterator[TransformLiveRequest]:
    """So many bytes, in chunks, the last one marked."""
    while size > 0:
        data = b"x" * min(CHUNK, size)
        size -= len(data)
        yield TransformLiveRequest(chunk=InputChunk(stream=stream, data=data, last=size <= 0))


def audio(stream: int, name: str = "") -> Part:
    return Part(name=name, media_type="audio/wav", stream=stream)


@pytest.mark.parametrize("model", ["upload", "upload_thread"])
async def test_an_upload_reaches_the_author_whole(shared: Sidecar, model: str) -> None:
    events = await shared.live(start(model, audio(7)), *chunks(7, 5_000_000))
    assert text_of(events) == "5000000"
    assert events[-1].HasField("completed")


async def test_the_call_ends_well_while_the_caller_has_not_half_closed(shared: Sidecar) -> None:
    call = shared.stub.TransformLive()
    for piece in (start("upload", audio(1)), *chunks(1, 1000)):
        await call.write(piece)
    events = await collect(call)
    assert text_of(events) == "1000" and await call.code() is grpc.StatusCode.OK


async def test_half_close_ends_the_parts_that_are_open(shared: Sidecar) -> None:
    piece = TransformLiveRequest(chunk=InputChunk(stream=1, data=b"abc"))
    assert text_of(await shared.live(start("upload", audio(1)), piece)) == "3"


async def test_a_gigabyte_to_a_model_that_takes_ten_megabytes_fails_after_ten(shared: Sidecar) -> None:
    sent = 0

    def pieces() -> Iterator[TransformLiveRequest]:
        nonlocal sent
        yield start("upload", audio(1))
        for piece in chunks(1, 1_000_000_000):
            sent += len(piece.chunk.data)
            yield piece

    def upload() -> Any:
        # A write of grpc.aio that fails hides the status that made it fail; the other flavour's does not.
        with grpc.insecure_channel(shared.target) as channel, pytest.raises(grpc.RpcError) as raised:
            list(provider_pb2_grpc.MediaProviderStub(channel).TransformLive(pieces()))
        return from_rpc_error(raised.value)

    error = await asyncio.to_thread(upload)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", Reason.INPUT_TOO_LARGE)
    assert error.metadata["limit"] == "10000000"
    assert 10_000_000 <= sent + CHUNK < 20_000_000


async def test_parts_may_arrive_in_another_order_than_they_are_read(shared: Sidecar) -> None:
    pieces = [start("pair", audio(1), audio(2, "second")), *chunks(1, 6_000_000), *chunks(2, 3_000_000)]
    assert text_of(await shared.live(*pieces)) == "3000000 6000000"


async def test_text_that_arrives_in_chunks_is_the_calls_text(shared: Sidecar) -> None:
    content = "hé llo " * 3
    halves = content.encode()[:2], content.encode()[2:]
    pieces = [TransformLiveRequest(chunk=InputChunk(stream=1, data=half)) for half in halves]
    events = await shared.live(start("shout", Part(media_type="text/plain", stream=1)), *pieces)
    assert text_of(events) == "HÉ LLO " * 3


@pytest.mark.parametrize(
    ("pieces", "field"),
    [
        ([TransformLiveRequest(respond=Respond())], "start"),
        ([start("upload", audio(1)), start("upload", audio(1))], "start"),
        ([start("upload", audio(1)), *chunks(2, 10)], "chunk.stream"),
        ([start("pair", audio(1), audio(2, "second")), *chunks(1, 10), *chunks(1, 10)], "chunk.stream"),
        ([start("upload", audio(1), audio(1))], "turns[0].parts[1].stream"),
        ([start("upload", audio(1)), TransformLiveRequest(turn=Turn())], "turn"),
        ([start("upload", audio(1)), TransformLiveRequest(interrupt=Interrupt())], "interrupt"),
        ([start("upload", audio(1)), TransformLiveRequest()], "piece"),
        ([start("upload", audio(1)), TransformLiveRequest(chunk=InputChunk(stream=1, last=True))], "turns[0].parts[0]"),
        ([start("shout", Part(media_type="text/plain", stream=1)),
          TransformLiveRequest(chunk=InputChunk(stream=1, data=b"\xff"))], "turns[0].parts[0]"),
    ],
    ids=["no-start", "two-starts", "unknown", "after-last", "twice", "turn", "interrupt", "empty", "no-bytes", "utf-8"],
)  # fmt: skip
async def test_wrong_pieces_are_refused(shared: Sidecar, pieces: list[TransformLiveRequest], field: str) -> None:
    call = shared.stub.TransformLive()
    for piece in pieces:
        await call.write(piece)
    await call.done_writing()
    error = await error_of(call)
    assert (error.code, [violation.field for violation in error.fields]) == ("INVALID_ARGUMENT", [field])


async def test_a_conversation_takes_turns_options_and_interruptions_in_order(shared: Sidecar) -> None:
    def turn(*parts: Part) -> TransformLiveRequest:
        return TransformLiveRequest(turn=Turn(parts=parts))

    interrupt = Interrupt(index=0)
    interrupt.played.FromMilliseconds(1500)
    call = shared.stub.TransformLive()
    await call.write(start("talk", turns=[]))
    await call.write(turn(Part(text="hello")))
    await call.write(TransformLiveRequest(respond=Respond()))
    heard = ""
    while "you said hello;" not in heard:
        heard += text_of((await call.read()).events)
    await call.write(turn(Part(media_type="text/plain", stream=4)))
    for half in (b"wor", b"ld"):
        await call.write(TransformLiveRequest(chunk=InputChunk(stream=4, data=half, last=half == b"ld")))
    await call.write(TransformLiveRequest(interrupt=interrupt))
    await call.write(TransformLiveRequest(options=options()))
    await call.write(TransformLiveRequest(respond=Respond()))
    await call.done_writing()
    events = await collect(call)
    assert text_of(events) == "interrupted at 1.5;seed None;you said hello world;bye"
    assert events[-1].HasField("completed")


async def test_options_of_a_conversation_are_checked_as_they_come(shared: Sidecar) -> None:
    call = shared.stub.TransformLive()
    await call.write(start("talk", turns=[]))
    await call.write(TransformLiveRequest(options=options(seed=1)))
    error = await error_of(call)
    assert [violation.field for violation in error.fields] == ["options.seed"]


async def test_cancelling_a_conversation_ends_it(sidecar: Sidecar) -> None:
    call = sidecar.stub.TransformLive()
    await call.write(start("talk", turns=[]))
    await call.read()
    call.cancel()
    await sidecar.until(lambda answer: answer.active_calls == 0)
    assert "<3>" not in sidecar.log.read_text()
