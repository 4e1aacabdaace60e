"""Turns in, speech out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from conftest import LONG, exited, speaking_engines
from mediaconduit.content import Media, assistant, user
from mediaconduit.errors import InvalidRequestError, UnavailableError
from mediaconduit.events import DataDelta, Event, Notice, OutputCompleted, OutputStarted, Signal
from mediaconduit.live import LiveSession
from mediaconduit.v1.events_pb2 import FinishReason, SignalKind
from mediaconduit_provider.testing import Served, serve
from speech_provider import Speech

INTERRUPTED, TURN_COMPLETED = SignalKind.SIGNAL_KIND_INTERRUPTED, SignalKind.SIGNAL_KIND_TURN_COMPLETED
STOP, CUT_SHORT = FinishReason.FINISH_REASON_STOP, FinishReason.FINISH_REASON_INTERRUPTED


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(Speech(), provider_id="speech") as running:
        yield running


@dataclass
class Heard:
    """What came, until a turn was completed or the session ended."""

    audio: dict[int, bytes] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    """Turn of each output, by its index."""
    signals: list[tuple[SignalKind.ValueType, int]] = field(default_factory=list)
    finishes: list[FinishReason.ValueType] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def take(self, event: Event) -> None:
        match event:
            case OutputStarted(index=index, started=started):
                self.turns[index] = started.turn
            case DataDelta(index=index, data=data):
                self.audio[index] = self.audio.get(index, b"") + data
            case OutputCompleted(index=index):
                self.completed.append(index)
            case Signal(kind=kind, turn=turn, signal=signal):
                self.signals.append((kind, turn))
                if kind == TURN_COMPLETED:
                    self.finishes.append(signal.finish.reason)
            case Notice(code=code):
                self.notices.append(code)


async def hear(session: LiveSession) -> Heard:
    """Until the end."""
    heard = Heard()
    async with asyncio.timeout(60):
        async for event in session:
            heard.take(event)
    return heard


async def hear_turn(session: LiveSession) -> Heard:
    """Until a turn is completed."""
    heard = Heard()
    async with asyncio.timeout(60):
        while not heard.finishes:
            heard.take(await anext(session))
    return heard


async def first_sound(session: LiveSession) -> None:
    async with asyncio.timeout(60):
        while not isinstance(await anext(session), DataDelta):
            pass


async def test_every_turn_is_spoken_as_it_comes(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send("One.")
        first = await hear_turn(session)
        await session.send("Two, and more.")
        second = await hear_turn(session)
        await session.finish()
        rest = await hear(session)
    assert (first.turns, second.turns) == ({0: 1}, {1: 3})  # turns 0 and 2 are the caller's
    assert first.signals == [(TURN_COMPLETED, 1)] and second.signals == [(TURN_COMPLETED, 3)]
    assert first.finishes == second.finishes == [STOP]
    assert first.audio[0][:4] == second.audio[1][:4] == b"RIFF"
    assert second.audio[1] == (await served.model("default").transform("Two, and more.")).data
    assert not rest.audio


async def test_closing_the_input_ends_after_what_was_said(served: Served) -> None:
    async with served.model("default").live("Hello.") as session:
        await session.send("And good bye.")
        await session.finish()
        heard = await hear(session)
    assert heard.turns == {0: 1, 1: 3} and heard.completed == [0, 1]
    assert all(len(audio) > 10_000 for audio in heard.audio.values())


async def test_an_interrupt_ends_the_utterance_and_the_next_turn_speaks(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(LONG * 20)
        await first_sound(session)
        (speaking,) = speaking_engines()
        await session.interrupt()
        cut = await hear_turn(session)
        assert speaking not in speaking_engines()
        await session.send("Next.")
        following = await hear_turn(session)
        await session.finish()
        await hear(session)
    assert cut.signals == [(INTERRUPTED, 1), (TURN_COMPLETED, 1)]
    assert cut.finishes == [CUT_SHORT] and cut.completed == [0]
    assert len(cut.audio.get(0, b"")) < 10_000_000  # of 150 MB
    assert following.finishes == [STOP] and following.turns == {1: 3}
    assert following.audio[1] == (await served.model("default").transform("Next.")).data


async def test_an_interrupt_also_ends_what_waits(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(LONG * 20)
        await session.send("Never said.")
        await first_sound(session)
        await session.interrupt()
        first, second = await hear_turn(session), await hear_turn(session)
        await session.finish()
        await hear(session)
    assert first.signals == [(INTERRUPTED, 1), (TURN_COMPLETED, 1)]
    assert second.signals == [(INTERRUPTED, 3), (TURN_COMPLETED, 3)] and not second.audio


async def test_an_interrupt_of_silence_changes_nothing(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.interrupt()
        await session.send("Hello.")
        await session.finish()
        heard = await hear(session)
    assert heard.signals == [(TURN_COMPLETED, 1)] and heard.finishes == [STOP]


async def test_in_manual_mode_an_answer_is_asked_for(served: Served) -> None:
    async with served.model("default").live(live={"turn_detection": "manual"}) as session:
        await session.send("One.")
        await session.send("Two.")
        await session.respond()
        heard = await hear_turn(session)
        await session.send("Not asked for.")
        await session.finish()
        rest = await hear(session)
    assert heard.turns == {0: 2} and heard.signals == [(TURN_COMPLETED, 2)]
    together = await served.model("default").transform([user("One."), user("Two.")])
    assert heard.audio[0] == together.data
    assert not rest.audio and not rest.signals


async def test_options_hold_from_where_they_change(served: Served) -> None:
    async with served.model("default").live(audio={"voice": "f3"}) as session:
        await session.send("Hello.")
        first = await hear_turn(session)
        await session.update(audio={"voice": "de"})
        await session.send("Hello.")
        second = await hear_turn(session)
        await session.finish()
        await hear(session)
    model = served.model("default")
    assert first.audio[0] == (await model.transform("Hello.", audio={"voice": "f3"})).data
    assert second.audio[1] == (await model.transform("Hello.", audio={"voice": "de"})).data


async def test_a_turn_may_arrive_in_pieces(served: Served) -> None:
    heard = asyncio.Event()

    async def text() -> AsyncIterator[bytes]:
        yield b"The first sentence. The "
        await heard.wait()
        yield b"second one."

    async def send(session: LiveSession) -> None:
        await session.send(Media(text(), "text/plain"))
        await session.finish()

    async with served.model("default").live() as session, asyncio.TaskGroup() as group:
        group.create_task(send(session))
        await first_sound(session)
        heard.set()
        rest = await hear(session)
    assert rest.completed == [0] and rest.finishes == [STOP]


async def test_an_interrupt_is_heard_while_more_text_is_awaited(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(b"A beginning. And then", media_type="text/plain")
        await first_sound(session)
        await session.interrupt()
        cut = await hear_turn(session)
        await session.finish()
        await hear(session)
    assert cut.signals == [(INTERRUPTED, 1), (TURN_COMPLETED, 1)]


async def test_a_turn_without_text_is_noted_and_the_session_goes_on(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send("   ")
        silent = await hear_turn(session)
        await session.send("Hello.")
        spoken = await hear_turn(session)
        await session.finish()
        await hear(session)
    assert silent.notices == ["EMPTY_TURN"] and not silent.audio and silent.finishes == [STOP]
    assert spoken.audio


async def test_turns_of_the_model_are_counted_and_not_spoken(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(assistant("I said."))
        await session.send("You say.")
        await session.finish()
        heard = await hear(session)
    assert heard.turns == {0: 2}


async def test_a_voice_there_is_not_ends_the_session(served: Served) -> None:
    async with served.model("default").live(audio={"voice": "nobody"}) as session:
        await session.send("Hello.")
        with pytest.raises(InvalidRequestError, match="nobody"):
            await hear(session)


async def test_an_engine_that_dies_ends_the_session_with_a_typed_error(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(LONG * 20)
        await first_sound(session)
        (speaking,) = speaking_engines()

        os.kill(speaking, signal.SIGKILL)
        with pytest.raises(UnavailableError, match="SIGKILL"):
            await hear(session)


async def test_leaving_a_session_ends_its_engine(served: Served) -> None:
    async with served.model("default").live() as session:
        await session.send(LONG * 20)
        await first_sound(session)
        (speaking,) = speaking_engines()
    await exited(speaking)
