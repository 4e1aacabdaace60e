"""Runs one call and shows it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mediaconduit.client import Client
from mediaconduit.content import Item
from mediaconduit.errors import CallTimeoutError, MediaConduitError, Reason
from mediaconduit.events import Event
from mediaconduit.results import Result

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.failures import UsageError
from mediaconduit_broker.cli.progress import Waiting
from mediaconduit_broker.cli.showing import JsonLines, Plain
from mediaconduit_broker.cli.suffix import types_for


@dataclass(frozen=True, slots=True)
class Transformation:
    """A call as the command line asks for it."""

    model: str
    content: list[Item]
    keywords: Mapping[str, Any]
    """As `mediaconduit.options.Request`."""
    to: Path | None
    """File or folder for what comes out."""
    as_json: bool


class Show(Protocol):
    """A way to show a call."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def result(self, result: Result) -> None:
        """It succeeded; only for calls whose result is gathered."""

    def failed(self, error: MediaConduitError) -> None:
        """It failed; the error itself is reported by others."""


async def run(client: Client, wanted: Transformation) -> None:
    """Makes the call. Leaving it in any way cancels it."""
    saved = wanted.to is not None
    async with Waiting(sys.stderr, wanted.model or "routing") as waiting:
        keywords = dict(wanted.keywords)
        if wanted.model and "output_media_types" not in keywords:
            keywords["output_media_types"] = await types_for(client, wanted.model, wanted.to)
        show: Show = JsonLines(saved=saved) if wanted.as_json else Plain(waiting, saved=saved)
        try:
            stream = client.model(wanted.model).stream(
                wanted.content,
                to=wanted.to,
                gather=wanted.as_json,
                **keywords,
            )
        except TypeError as error:
            # What the client calls a wrong keyword is a wrong option here.
            raise UsageError(f"-O: {error}") from None
        try:
            async with stream:
                async for event in stream:
                    waiting.event(event)
                    show.event(event)
                if saved or wanted.as_json:
                    show.result(stream.result)
        except MediaConduitError as error:
            failure = _explained(error, wanted)
            show.failed(failure)
            raise failure from None
    if wanted.to is not None:
        _name_files(stream.result, wanted.to)


def _explained(error: MediaConduitError, wanted: Transformation) -> MediaConduitError:
    """The error in terms of this command line."""
    if error.reason is Reason.DEADLINE_EXCEEDED and wanted.keywords.get("timeout") is not None:
        seconds = wanted.keywords["timeout"]
        return CallTimeoutError(f"the call was not done after {seconds:g} s", hint="give it longer with --timeout")
    if wanted.model and any(field.field.startswith("options.") for field in error.fields):
        error.hint = f"`mediaconduit models {wanted.model}` lists its options"
    return error


def _name_files(result: Result, to: Path) -> None:
    files = [made for made in result.outputs if made.path is not None]
    for made in files:
        length = made.info.duration.ToMilliseconds() / 1000
        facts = (made.media_type, output.human_bytes(made.size_bytes), f"{length:g} s" if length else "")
        output.done("saved", str(made.path), ", ".join(filter(None, facts)))
    if not files:
        # A text is in its file already, but not in a folder.
        for path in result.save(to) if to.is_dir() else [to]:
            output.done("saved", str(path), output.human_bytes(path.stat().st_size))
