"""Gathers the messages of a call into its `Result`."""

from __future__ import annotations

from pathlib import Path

from mediaconduit.outputs import Output
from mediaconduit.results import Result
from mediaconduit.saving import Saver
from mediaconduit.uploads import in_thread
from mediaconduit.v1.events_pb2 import OutputKind, OutputStarted, TransformEvent


class Gatherer:
    """Takes messages in, writes data to disk when it is to be saved, and has the result at the end."""

    def __init__(self, to: Path | None) -> None:
        self._saver = Saver(to) if to is not None else None
        self._outputs: dict[int, Output] = {}
        self._result = Result()

    async def take(self, message: TransformEvent) -> Result | None:
        """Takes a message in; gives the result, its files in place, with `completed`."""
        match message.WhichOneof("event"):
            case "output_delta":
                await self._outputs[message.output_delta.index].add(message.output_delta)
            case "output_completed":
                await self._outputs[message.output_completed.index].complete(message.output_completed)
            case "started":
                self.abort()
                self._result = Result(message.started.generation, message.started.model)
            case "output_started":
                self._outputs[message.output_started.index] = self._begin(message.output_started)
            case "notice":
                self._result.notices.append(message.notice)
            case "usage":
                self._result.usage = message.usage
            case "checkpoint":
                self._result.checkpoint = message.checkpoint
            case "completed":
                return await self._finish(message)
        return None

    def abort(self) -> None:
        """Forgets what came, and removes the files."""
        self._outputs.clear()
        if self._saver is not None:
            self._saver.abort()

    def _begin(self, started: OutputStarted) -> Output:
        saved = started.kind == OutputKind.OUTPUT_KIND_DATA and not started.HasField("preview_of")
        return Output(started, self._saver.sink(started) if saved and self._saver is not None else None)

    async def _finish(self, message: TransformEvent) -> Result:
        result = self._result
        result.outputs = [self._outputs[index] for index in sorted(self._outputs)]
        result.finishes = list(message.completed.finishes)
        result.provenance = message.completed.provenance
        if message.completed.HasField("usage"):
            result.usage = message.completed.usage
        if self._saver is not None and not await self._saver.commit() and not self._saver.folder:
            await in_thread(result.save, self._saver.to)
        return result
