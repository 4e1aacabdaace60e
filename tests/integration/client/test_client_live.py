"""Live sessions: both directions at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from mediaconduit import Client, Media
from mediaconduit.errors import CallCancelledError, InvalidRequestError
from mediaconduit.events import Signal
from mediaconduit.status import abort
from mediaconduit.streams import CHUNK_BYTES
from mediaconduit.v1 import events_pb2 as e


class Parrot:
    """Keeps the pieces and answers each `respond` with the text of the last turn."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.pieces: list[Any] = []

    def kinds(self) -> list[str]:
        return [piece.WhichOneof("piece") for piece in self.pieces]

    async def __call__(self, requests: Any, context: Any) -> None:
        out, index, last = self.server.out(context), 0, ""
        await out.start()
        async for piece in requests:
            self.pieces.append(piece)
            match piece.WhichOneof("piece"):
                case "turn":
                    last = piece.turn.parts[0].text
                case "respond":
                    await out.text(last, index=index)
                    index += 1
                case "interrupt":
                    await out.send(e.Signal(kind=e.SIGNAL_KIND_INTERRUPTED))
        await out.complete()


@pytest.fixture
def parrot(server: Any) -> Parrot:
    server.live = Parrot(server)
    return server.live


async def test_turns_answers_and_interruptions_share_one_call(mc: Client, parrot: Parrot) -> None:
    said = []
    async with mc.model("p/m").live("context", audio={"voice": "amy"}) as session:
        await session.send("one")
        await session.respond()
        async for event in session:
            said.append(event.text)
            if event.text:
                break  # the session goes on
        await session.interrupt(0, timedelta(milliseconds=250))
        assert isinstance(await until(session, Signal), Signal)
        await session.update(audio={"speed": 2})
        await session.send("two")
        await session.respond()
        await session.finish()
        said += [event.text async for event in session]
    assert "".join(said) == "onetwo"
    assert parrot.kinds() == ["start", "turn", "respond", "interrupt", "options", "turn", "respond"]
    assert parrot.pieces[0].start.options.audio.voice == "amy"
    assert parrot.pieces[3].interrupt.played.ToMilliseconds() == 250
    assert parrot.pieces[4].options.audio.speed == 2


async def until(session: Any, kind: type) -> Any:
    async for event in session:
        if isinstance(event, kind):
            return event
    return None


async def test_bare_bytes_go_on_with_the_stream_before(mc: Client, parrot: Parrot) -> None:
    async with mc.model("m").live() as session:
        with pytest.raises(TypeError, match="media type"):
            await session.send(b"x")
        await session.send(b"a" * (CHUNK_BYTES + 1), media_type="audio/L16; rate=16000")
        await session.send(b"b")
        await session.respond()
        await session.finish()
        async for _ in session:
            pass
    assert parrot.kinds() == ["start", "turn", "chunk", "chunk", "chunk", "chunk", "respond", "chunk"]
    announced = parrot.pieces[1].turn.parts[0]
    assert (announced.stream, announced.media_type) == (1, "audio/L16; rate=16000")
    chunks = [piece.chunk for piece in parrot.pieces if piece.WhichOneof("piece") == "chunk"]
    assert [len(chunk.data) for chunk in chunks] == [CHUNK_BYTES, 1, 1, 0, 0]
    assert [chunk.flush for chunk in chunks] == [False, False, False, True, False]
    assert [chunk.last for chunk in chunks] == [False, False, False, False, True]


async def test_large_media_is_announced_and_sent_in_chunks(mc: Client, parrot: Parrot) -> None:
    async with mc.model("m").live() as session:
        await session.send(Media(bytes(3 * 1024 * 1024), "video/mp4"))
        await session.send(b"x", media_type="audio/L16")
        await session.finish()
        async for _ in session:
            pass
    streams = [piece.turn.parts[0].stream for piece in parrot.pieces if piece.WhichOneof("piece") == "turn"]
    assert streams == [1, 2]


async def test_a_wait_that_is_given_up_does_not_end_the_session(mc: Client, parrot: Parrot) -> None:
    async with mc.model("m").live() as session:
        await anext(session)  # started
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(session)
        await session.send("still here")
        await session.respond()
        await session.finish()
        assert "".join([event.text async for event in session]) == "still here"


async def test_leaving_cancels(server: Any, mc: Client) -> None:
    async def wait(_: Any, context: Any) -> None:
        await server.out(context).start()
        await asyncio.Event().wait()

    server.live = wait
    async with mc.model("m").live() as session:
        await anext(session)
    await server.cancelled.wait()


async def test_sending_to_a_session_that_was_ended_says_why(server: Any, mc: Client) -> None:
    async def refuse(_: Any, context: Any) -> None:
        await abort(context, InvalidRequestError("no turns, please"))

    server.live = refuse
    async with mc.model("m").live() as session:
        with pytest.raises(InvalidRequestError, match="no turns"):
            await anext(session)
        with pytest.raises(InvalidRequestError, match="no turns"):
            await session.send("x")


async def test_sending_after_the_end_is_an_error(server: Any, mc: Client) -> None:
    server.live = lambda _, context: server.say(["bye"], context)
    async with mc.model("m").live() as session:
        async for _ in session:
            pass
        with pytest.raises(CallCancelledError, match="no more input"):
            await session.send("x")
