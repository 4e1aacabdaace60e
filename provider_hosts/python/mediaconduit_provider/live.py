"""Input that arrives while the call runs: uploads in chunks, and conversations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc
from mediaconduit.errors import InvalidRequestError, MediaConduitError, Reason
from mediaconduit.v1.media_pb2 import Part, Turn
from mediaconduit.v1.options_pb2 import TransformOptions
from mediaconduit.v1.transform_pb2 import TransformLiveRequest, TransformRequest

from mediaconduit_provider.call import Input, InterruptRequest, RespondRequest, Session
from mediaconduit_provider.catalog import Entry
from mediaconduit_provider.checks import check_turns, limit_of
from mediaconduit_provider.host_call import HostCall
from mediaconduit_provider.inputs import ArrivingInput
from mediaconduit_provider.media_types import is_text
from mediaconduit_provider.metadata import CallFacts

_AHEAD: Final = 64
"""Pieces of a conversation that may wait for the author."""

TEXT_LIMIT: Final = 16 * 1024 * 1024
"""Most bytes of a text that arrives in chunks: authors get it whole."""

_Piece = Turn | InterruptRequest | RespondRequest | TransformOptions


class LiveCall(HostCall, Session):
    """A call whose input arrives. `feed` takes the pieces; models with the feature "live" also iterate it."""

    def __init__(self, request: TransformRequest, entry: Entry, capability: str, facts: CallFacts) -> None:
        super().__init__(request, entry, capability, facts)
        self.is_live = "live" in entry.model.features
        self._pieces: list[_Piece] = []
        self._ended = False
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._turn_count = len(request.turns)
        self._waiters = 0
        self._announce(request.turns, "turns", 0)

    async def __aiter__(self) -> AsyncIterator[_Piece]:
        while True:
            while self._pieces:
                piece = self._pieces.pop(0)
                self._space.set()
                yield piece
            if self._ended:
                return
            self._news.clear()
            self._wait_for(1)
            try:
                await self._news.wait()
            finally:
                self._wait_for(-1)

    def part_input(self, part: Part) -> Input:
        """How to read a part of a turn."""
        if part.HasField("stream") and (found := self.arriving.get(part.stream)) is not None:
            return found
        return self._input_at(part, f"part:{id(part)}")

    async def gather_text(self) -> None:
        """Puts text that arrives in chunks in its place among the turns, before the author's code looks at them."""
        if self.is_live:
            return
        for turn in self.turns:
            for part in turn.parts:
                arriving = self.arriving.get(part.stream) if part.HasField("stream") else None
                if arriving is None or not is_text(arriving.media_type):
                    continue
                content = await self._read_text(arriving)
                del self.arriving[part.stream]
                part.text = content

    async def _read_text(self, arriving: ArrivingInput) -> str:
        pieces: list[bytes] = []
        async for chunk in arriving.chunks():
            pieces.append(chunk)
            if arriving.received > TEXT_LIMIT:
                raise _too_large(arriving, TEXT_LIMIT, arriving.received)
        try:
            return b"".join(pieces).decode()
        except UnicodeDecodeError:
            raise InvalidRequestError.at(arriving.field, "is not text in UTF-8") from None

    # -- feeding ------------------------------------------------------------------------------------------------------

    async def receive(self, read: Callable[[], Any]) -> None:
        """Takes pieces until the caller half-closes. Raises `MediaConduitError` for a piece that is wrong."""
        try:
            while (request := await read()) is not grpc.aio.EOF:
                await self._take(request)
        except MediaConduitError as error:
            self.fail_inputs(error)
            raise
        for arriving in self.arriving.values():
            self._end_input(arriving)
        self._ended = True
        self._news.set()

    async def _take(self, request: TransformLiveRequest) -> None:
        kind = request.WhichOneof("piece")
        if kind == "chunk":
            await self._take_chunk(request)
        elif kind is None:
            raise InvalidRequestError.at("piece", "is empty or of a later revision of the contract")
        elif kind == "start":
            raise InvalidRequestError.at("start", "may only be the first piece")
        elif not self.is_live:
            raise InvalidRequestError.at(
                kind, f"{self.entry.name} holds no conversations", hint="use a model with the feature 'live'"
            )
        elif kind == "turn":
            check_turns([request.turn], self.entry.model, self.options, first=self._turn_count)
            self._announce([request.turn], "turns", self._turn_count)
            self._turn_count += 1
            await self._push(request.turn)
        elif kind == "interrupt":
            heard = request.interrupt
            index = heard.index if heard.HasField("index") else None
            await self._push(InterruptRequest(index, heard.played.ToNanoseconds() / 1e9))
        elif kind == "respond":
            await self._push(RespondRequest())
        else:
            self.use_options(TransformRequest(options=request.options))
            await self._push(self.options)

    async def _take_chunk(self, request: TransformLiveRequest) -> None:
        chunk = request.chunk
        arriving = self.arriving.get(chunk.stream)
        if arriving is None:
            raise InvalidRequestError.at("chunk.stream", f"no part announced stream {chunk.stream}")
        if arriving.done:
            raise InvalidRequestError.at("chunk.stream", f"stream {chunk.stream} has ended")
        limit = limit_of(self.entry.model, arriving.name, self.options)
        if limit and arriving.received + len(chunk.data) > limit:
            raise _too_large(arriving, limit, arriving.received + len(chunk.data))
        while arriving.full:
            if self._waiters:
                await arriving.spool()
            else:
                await arriving.room()
        await arriving.feed(chunk.data, flush=chunk.flush)
        if chunk.last:
            self._end_input(arriving)

    def _end_input(self, arriving: ArrivingInput) -> None:
        if not arriving.done and not arriving.received and not self.is_live:
            error = InvalidRequestError.at(arriving.field, "is empty")
            arriving.fail(error)
            raise error
        arriving.end()

    async def _push(self, piece: _Piece) -> None:
        while len(self._pieces) >= _AHEAD:
            self._space.clear()
            await self._space.wait()
        self._pieces.append(piece)
        self._news.set()

    def _wait_for(self, change: int) -> None:
        """The author waits for something that is still to come: what is in its way must not block it."""
        self._waiters += change
        if change > 0:
            for arriving in self.arriving.values():
                if arriving.full:
                    arriving.nudge()

    def _announce(self, turns: Any, field: str, first: int) -> None:
        for t, turn in enumerate(turns, first):
            for p, part in enumerate(turn.parts):
                if not part.HasField("stream"):
                    continue
                if part.stream in self.arriving:
                    raise InvalidRequestError.at(f"{field}[{t}].parts[{p}].stream", "is announced twice")
                place = f"{field}[{t}].parts[{p}]"
                self.arriving[part.stream] = ArrivingInput(part, place, self.new_file, self._wait_for)


def _too_large(arriving: ArrivingInput, limit: int, actual: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"{arriving.field} is larger than the {limit} bytes that are taken here",
        reason=Reason.INPUT_TOO_LARGE,
        metadata={"limit": str(limit), "actual": str(actual)},
    )
