"""Live calls: turns come in while speech goes out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mediaconduit import tasks
from mediaconduit.v1.options_pb2 import TurnDetection
from mediaconduit_provider import (
    ExhaustedError,
    Finish,
    FinishReason,
    Input,
    InterruptRequest,
    Notice,
    RespondRequest,
    Role,
    Session,
    Signal,
    SignalKind,
    Turn,
)
from mediaconduit_provider.outputs import Yielded

from speech_provider.reading import Reading
from speech_provider.utterance import Planner, Utterance

MAX_WAITING: Final = 256
"""Answers that may wait to be spoken; a caller that sends more without listening is refused."""
_SPOKEN_ROLES: Final = (Role.ROLE_USER, Role.ROLE_UNSPECIFIED)


@dataclass(eq=False, slots=True)
class _Answer:
    """A turn of the model."""

    turn: int
    """Its number in the conversation."""
    reading: Reading
    utterances: Sequence[Utterance]


class Conversation:
    """One live call.

    Turns are numbered from 0 as they come; an answer takes its number when it is asked for: by its turn, or in manual
    turn detection by `RespondRequest`, which answers all turns since the last. An interrupt ends the answer that is
    being spoken and those that wait. Half-close ends the call after what was asked for was said.
    """

    def __init__(self, session: Session, planner: Planner, new_reading: Callable[[Session, int], Reading]) -> None:
        self._session = session
        self._planner = planner
        self._new_reading = new_reading
        self._answers: asyncio.Queue[_Answer | None] = asyncio.Queue()
        self._unfinished: list[_Answer] = []
        self._unanswered: list[Utterance] = []
        self._turns = 0

    async def run(self) -> AsyncGenerator[Yielded, None]:
        """Outputs and signals, until the caller half-closes."""
        reader = tasks.start(self._listen(), name="speech-live-input")
        try:
            while (answer := await self._answers.get()) is not None:
                async with contextlib.aclosing(self._speak(answer)) as spoken:
                    async for item in spoken:
                        yield item
                self._unfinished.remove(answer)
            await reader  # raises what was wrong with the input
        finally:
            await tasks.cancel_and_join(reader)

    async def _speak(self, answer: _Answer) -> AsyncGenerator[Yielded, None]:
        reading = answer.reading
        if not reading.interrupted and not answer.utterances:
            yield Notice(code="EMPTY_TURN", message="the turn has no text to speak")
        async with contextlib.aclosing(reading.read(answer.utterances)) as spoken:
            signalled = False
            async for item in spoken:
                if reading.interrupted and not signalled:
                    signalled = True
                    yield Signal(kind=SignalKind.SIGNAL_KIND_INTERRUPTED, turn=answer.turn)
                yield item
        if reading.interrupted and not signalled:
            yield Signal(kind=SignalKind.SIGNAL_KIND_INTERRUPTED, turn=answer.turn)
        interrupted = reading.interrupted or signalled
        reason = FinishReason.FINISH_REASON_INTERRUPTED if interrupted else FinishReason.FINISH_REASON_STOP
        yield Signal(
            kind=SignalKind.SIGNAL_KIND_TURN_COMPLETED,
            turn=answer.turn,
            finish=Finish(reason=reason),
            usage=reading.usage,
        )

    async def _listen(self) -> None:
        """Takes in what the caller sends, also while speech goes out, so that an interrupt is heard at once."""
        try:
            for index, turn in enumerate(self._session.turns):
                self._hear(turn, [given for given in self._session.inputs() if _within(given, index)])
            async for piece in self._session:
                if isinstance(piece, Turn):
                    unnamed = [part for part in piece.parts if not part.name]
                    self._hear(piece, [self._session.part_input(part) for part in unnamed])
                elif isinstance(piece, RespondRequest):
                    self._respond()
                elif isinstance(piece, InterruptRequest):
                    for answer in self._unfinished:
                        answer.reading.interrupt()
        finally:
            self._answers.put_nowait(None)

    def _hear(self, turn: Turn, inputs: Sequence[Input]) -> None:
        self._turns += 1
        if turn.role not in _SPOKEN_ROLES:
            return
        inputs = [given for given in inputs if not _is_silent(given)]
        self._unanswered += self._planner.plan(self._session, [(turn.name, given) for given in inputs])
        if self._session.options.live.turn_detection != TurnDetection.TURN_DETECTION_MANUAL:
            self._respond(always=True)

    def _respond(self, *, always: bool = False) -> None:
        """Asks for an answer to what was not answered yet."""
        if not (self._unanswered or always):
            return
        if len(self._unfinished) >= MAX_WAITING:
            raise ExhaustedError(
                f"{MAX_WAITING} turns wait to be spoken",
                hint="read the speech before you send more turns",
                retry_after=1,
            )
        answer = _Answer(self._turns, self._new_reading(self._session, self._turns), self._unanswered)
        self._turns += 1
        self._unanswered = []
        self._unfinished.append(answer)
        self._answers.put_nowait(answer)


def _within(given: Input, turn: int) -> bool:
    return given.field.startswith(f"turns[{turn}].")


def _is_silent(given: Input) -> bool:
    """Whether it is known to have nothing to say: in a conversation no reason to end the call."""
    return given.size == 0 or (bool(given.text) and not given.text.strip())
