"""A model to call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mediaconduit.calls import Opened, Stream, Uploading
from mediaconduit.edge import answer
from mediaconduit.gathering import Gatherer
from mediaconduit.requests import Prepared, prepare, said
from mediaconduit.v1 import models_pb2, provider_pb2
from mediaconduit.v1.transform_pb2 import TransformLiveRequest

if TYPE_CHECKING:
    from mediaconduit.client import Wire
    from mediaconduit.content import Content, Draft
    from mediaconduit.conversation import Conversation
    from mediaconduit.live import LiveSession
    from mediaconduit.options import Request
    from mediaconduit.results import Result


class Model:
    """A model by its name. Nothing is asked of the server before a call.

    Keywords of calls are those of `mediaconduit.options.Request`: the option groups (``text=``, ``audio=``, …),
    ``seed=``, ``inputs=``, ``system=``, ``timeout=`` and so on. One that does not exist is a TypeError that names the
    nearest.
    """

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self.name = name
        """As given: "providers/{provider}/models/{model}", "{provider}/{model}", an alias, or empty."""

    async def describe(self) -> models_pb2.Model:
        """What it takes and makes, with the schema of its options."""
        request = provider_pb2.GetModelRequest(name=self.name)
        return (await answer(self._wire.provider.GetModel(request, metadata=self._wire.metadata(self.name)))).model

    async def transform(
        self, content: Content = None, *, to: Path | str | None = None, **keywords: Unpack[Request]
    ) -> Result:
        """Transforms the input and gathers what comes.

        Args:
            content: Text, a file, `Media`, parts, turns, or a list of these.
            to: A file, or an existing folder, for data: it is written while it arrives and is there, whole, when this
                returns. Nothing is left of it when the call fails.
            keywords: Options and the rest of the request.
        """
        async with self.stream(content, to=to, gather=True, **keywords) as stream:
            async for _ in stream:
                pass
            return stream.result

    def stream(
        self,
        content: Content = None,
        *,
        to: Path | str | None = None,
        gather: bool = False,
        **keywords: Unpack[Request],
    ) -> Stream:
        """Transforms the input and gives events as they come. Leaving the loop cancels the call.

        Args:
            content: As for `transform`.
            to: As for `transform`.
            gather: Whether `Stream.result` shall have all of it in the end; implied by `to`.
            keywords: Options and the rest of the request.
        """
        gatherer = Gatherer(Path(to) if to is not None else None) if gather or to is not None else None
        return self.call(said(content, keywords), keywords, gatherer)

    def conversation(self, **keywords: Unpack[Request]) -> Conversation:
        """A conversation that keeps its turns; the keywords (``system=`` and options) hold for each of its calls."""
        from mediaconduit.conversation import Conversation

        return Conversation(self, keywords)

    def live(self, content: Content = None, **keywords: Unpack[Request]) -> LiveSession:
        """A session that takes input while it gives output; enter it with ``async with``."""
        from mediaconduit.live import LiveSession

        return LiveSession(self._wire, prepare(self.name, said(content, keywords), keywords))

    def call(
        self,
        turns: Sequence[Draft],
        keywords: Request,
        gatherer: Gatherer | None = None,
        on_result: Callable[[Result], None] | None = None,
    ) -> Stream:
        """A call with turns that are made already; what `stream` and conversations are built on."""
        prepared = prepare(self.name, turns, keywords)
        return Stream(lambda: self._open(prepared), gatherer, on_result)

    async def _open(self, prepared: Prepared) -> Opened:
        """Makes the call: whole where it fits into one message, else in chunks."""
        request, uploads = await prepared.packed()
        metadata = self._wire.metadata(self.name)
        if not uploads:
            return Opened(self._wire.provider.Transform(request, timeout=prepared.timeout, metadata=metadata))
        call = self._wire.provider.TransformLive(timeout=prepared.timeout, metadata=metadata)
        return Opened(call, Uploading.start(call, TransformLiveRequest(start=request), uploads))
