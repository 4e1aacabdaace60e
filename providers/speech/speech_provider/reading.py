"""Reading utterances aloud into one output, and their times into another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

from mediaconduit import tasks
from mediaconduit.v1.options_pb2 import TimeDetail
from mediaconduit_provider import Delta, MediaInfo, Output, OutputKind, UnavailableError, Usage
from mediaconduit_provider.outputs import Yielded

from speech_provider import script
from speech_provider.engine import Manner
from speech_provider.formats import CHANNELS, SAMPLE_BYTES, SAMPLE_RATE, WAV, wav_header
from speech_provider.pool import Engine, EnginePool
from speech_provider.timeline import Timeline
from speech_provider.utterance import Utterance


class Reading:
    """One audio output being made, with a transcript beside it when times are wanted."""

    def __init__(
        self,
        pool: EnginePool,
        media_type: str,
        times: TimeDetail.ValueType,
        speaks: Callable[[str], bool],
        *,
        turn: int = 0,
    ) -> None:
        self._pool = pool
        self._speaks = speaks
        self._words = times == TimeDetail.TIME_DETAIL_WORD
        self._audio = Output(media_type, turn=turn)
        self._transcript: Output | None = None
        if times != TimeDetail.TIME_DETAIL_UNSPECIFIED:
            self._transcript = Output("", kind=OutputKind.OUTPUT_KIND_TRANSCRIPT, turn=turn)
        self._engine: Engine | None = None
        self._waiting: asyncio.Task[str | None] | None = None
        self._segments = 0
        self._samples = 0
        self._began = 0
        self._characters = 0
        self.interrupted = False
        """Whether `interrupt` was called."""

    def interrupt(self) -> None:
        """Ends the speech at once: what was made and not given out yet is dropped."""
        self.interrupted = True
        if self._engine is not None:
            self._engine.kill()
        if self._waiting is not None:
            self._waiting.cancel()

    @property
    def started(self) -> bool:
        """Whether any speech was made."""
        return self._samples > 0

    @property
    def usage(self) -> Usage:
        """What it took so far."""
        units = {"character": self._characters, "audio-millisecond": self._samples * 1000 // SAMPLE_RATE}
        return Usage(units=units, nano_cost=0, currency="USD")

    async def read(self, utterances: Sequence[Utterance]) -> AsyncGenerator[Yielded, None]:
        """Reads them one after the other, then completes the outputs, also when it was interrupted.

        Raises:
            InvalidRequestError: A text is empty or not what its media type says.
            UnavailableError: The engine died.
        """
        for utterance in utterances:
            async with contextlib.aclosing(self._utterance(utterance)) as spoken:
                async for item in spoken:
                    yield item
        if not self.started:
            return
        yield self._audio.done(self._info())
        if self._transcript is not None:
            yield self._transcript.done()

    async def _utterance(self, utterance: Utterance) -> AsyncGenerator[Yielded, None]:
        self._began = self._samples
        async with contextlib.aclosing(self._texts(utterance)) as texts:
            text = await self._next(texts)
            if text is None:
                return
            async with self._engine_for(utterance.manner) as engine:
                while text is not None:
                    async with contextlib.aclosing(self._speak(engine, text, utterance)) as spoken:
                        async for item in spoken:
                            yield item
                    text = await self._next(texts)

    async def _next(self, texts: AsyncIterator[str]) -> str | None:
        """The next text; None at the end or as soon as the reading is interrupted."""
        if self.interrupted:
            return None
        self._waiting = tasks.start(_next_or_none(texts), name="speech-text")
        try:
            await asyncio.wait([self._waiting])
            return None if self._waiting.cancelled() else self._waiting.result()
        finally:
            waiting, self._waiting = self._waiting, None
            await tasks.cancel_and_join(waiting)

    @contextlib.asynccontextmanager
    async def _engine_for(self, manner: Manner) -> AsyncIterator[Engine]:
        async with self._pool.engine() as engine:
            engine.configure(manner)
            self._engine = engine
            try:
                yield engine
            finally:
                self._engine = None

    async def _texts(self, utterance: Utterance) -> AsyncGenerator[str, None]:
        """The text, in pieces while it still arrives."""
        given = utterance.input
        whole = given.media_type.partition(";")[0].strip().lower() == script.SSML or given.size is not None
        if whole:
            text = script.decode(await given.read(), given.field)
            if given.media_type.startswith(script.SSML):
                yield script.check_ssml(text, given.field, self._speaks)
            else:
                yield script.plain(text, given.field)
            return
        empty = True
        async with contextlib.aclosing(script.sentences(given.chunks(), given.field)) as pieces:
            async for piece in pieces:
                if piece.strip():
                    empty = False
                    yield script.plain(piece, given.field)
        if empty:
            script.plain("", given.field)

    async def _speak(self, engine: Engine, text: str, utterance: Utterance) -> AsyncGenerator[Yielded, None]:
        ssml = utterance.input.media_type.startswith(script.SSML)
        self._characters += len(text)
        timeline = self._timeline(text, utterance.speaker, ssml=ssml)
        try:
            async with contextlib.aclosing(engine.speak(text, ssml=ssml)) as frames:
                async for frame in frames:
                    if self.interrupted:
                        return
                    if isinstance(frame, bytes):
                        yield self._data(frame)
                    elif self._transcript is not None:
                        for segment in timeline.feed(frame):
                            yield self._transcript.segment(segment)
        except UnavailableError:
            if self.interrupted:
                return
            raise
        if self._transcript is not None:
            for segment in timeline.finish(self._samples):
                yield self._transcript.segment(segment)
        self._segments = timeline.next_id

    def _timeline(self, text: str, speaker: str, *, ssml: bool) -> Timeline:
        return Timeline(
            text,
            SAMPLE_RATE,
            words=self._words,
            markup=ssml,
            offset=self._began,
            speaker=speaker,
            first_id=self._segments,
        )

    def _data(self, samples: bytes) -> Delta:
        header = wav_header() if not self.started and self._audio.media_type == WAV else b""
        self._samples += len(samples) // SAMPLE_BYTES
        return self._audio.data(header + samples)

    def _info(self) -> MediaInfo:
        info = MediaInfo(sample_rate=SAMPLE_RATE, channels=CHANNELS)
        info.duration.FromNanoseconds(self._samples * 1_000_000_000 // SAMPLE_RATE)
        return info


async def _next_or_none(texts: AsyncIterator[str]) -> str | None:
    return await anext(texts, None)
