"""Conversations: turns are kept and sent back as they came."""

from __future__ import annotations

import uuid
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mediaconduit.content import Content, Draft, Piece, drafts
from mediaconduit.gathering import Gatherer
from mediaconduit.requests import said
from mediaconduit.v1.media_pb2 import Role

if TYPE_CHECKING:
    from mediaconduit.calls import Stream
    from mediaconduit.model import Model
    from mediaconduit.options import Request
    from mediaconduit.results import Result


class Conversation:
    """A conversation with a model. Made by `Model.conversation`.

    Every call carries the turns before it. What the model made goes back as it came, with the vendor's state and tool
    calls; a tool's answer is sent as `tool_result`. Only turns of calls that succeeded are kept, so a failed one can
    be sent again. One call at a time.
    """

    def __init__(self, model: Model, keywords: Request) -> None:
        self._model = model
        self._keywords: Request = {"affinity_key": str(uuid.uuid4()), **keywords}
        self._turns = drafts(None, system=self._keywords.pop("system", ""))
        self._call: weakref.ref[Stream] | None = None

    @property
    def turns(self) -> list[Draft]:
        """What was said so far, instructions first."""
        return list(self._turns)

    async def send(
        self, content: Content = None, *, to: Path | str | None = None, **keywords: Unpack[Request]
    ) -> Result:
        """Says something and gathers the answer. Without content the model goes on (after FINISH_REASON_PAUSED)."""
        async with self.stream(content, to=to, **keywords) as stream:
            async for _ in stream:
                pass
            return stream.result

    def stream(self, content: Content = None, *, to: Path | str | None = None, **keywords: Unpack[Request]) -> Stream:
        """Says something and gives the answer as it comes. The turns are kept once its last event was given out."""
        merged: Request = {**self._keywords, **keywords}
        turns = said(content, merged)

        def keep(result: Result) -> None:
            self._turns += [*turns, _answer(result)]
            self._keywords["parent_generations"] = [result.generation] if result.generation else []

        if self._call is not None and (stream := self._call()) is not None and stream.running:
            raise RuntimeError("a conversation takes one call at a time: end the stream before")
        gatherer = Gatherer(Path(to) if to is not None else None)
        stream = self._model.call([*self._turns, *turns], merged, gatherer, keep)
        self._call = weakref.ref(stream)
        return stream


def _answer(result: Result) -> Draft:
    """The model's turn; what was saved to files is read from them when it is sent back."""
    draft = Draft(Role.ROLE_ASSISTANT)
    for output in result.outputs:
        if output.visible and output.candidate == 0:
            draft.pieces.append(Piece(output.part, output.path))
    return draft
