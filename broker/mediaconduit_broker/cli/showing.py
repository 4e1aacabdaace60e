"""Two ways to show the events of a call: for people and pipes, and as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from mediaconduit import events
from mediaconduit.errors import MediaConduitError
from mediaconduit.events import Event
from mediaconduit.results import Result
from mediaconduit.v1.events_pb2 import OutputKind

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.failures import UsageError
from mediaconduit_broker.cli.progress import Waiting

_JSON_KINDS: Final = ("embedding", "scores", "tool_call")


class Plain:
    """Text as it comes, bytes of the first data output into a pipe, the rest as JSON.

    Args:
        waiting: Hidden before anything is written to a terminal.
        saved: Data goes to files.
    """

    def __init__(self, waiting: Waiting, *, saved: bool) -> None:
        self._waiting = waiting
        self._saved = saved
        self._terminal = sys.stdout.isatty()
        self._piped: int | None = None
        """The output whose bytes stdout carries."""
        self._ends_line = True
        self._thinking = False
        """Reasoning stands on the terminal, its line not ended."""
        self._tools: dict[int, dict[str, str]] = {}

    def event(self, event: Event) -> None:
        """Shows what it brings."""
        match event:
            case events.OutputStarted():
                self._begin(event)
            case events.ReasoningDelta() if sys.stderr.isatty():
                self._waiting.hide()
                output.styled((output.safe(event.reasoning), "dim italic"), stderr=True, end="")
                self._thinking = not event.reasoning.endswith("\n")
            case events.ToolCallDelta():
                self._tools[event.index]["arguments"] += event.arguments
            case events.OutputCompleted():
                self._complete(event)
            case events.Notice():
                self._waiting.hide()
                output.note(f"note: {event.message}", style="yellow")
            case events.Completed() if self._terminal and not self._ends_line:
                self._write_text("\n")
        if event.data and getattr(event, "index", None) == self._piped:
            sys.stdout.buffer.write(event.data)
            sys.stdout.buffer.flush()
        if event.text and getattr(event, "candidate", 0) == 0:
            self._text(event.text)

    def result(self, result: Result) -> None:
        """Nothing more: files are named by the command."""

    def failed(self, error: MediaConduitError) -> None:
        """Ends the line that was begun."""
        self._waiting.hide()
        if self._terminal and not self._ends_line:
            self._write_text("\n")

    def _begin(self, event: events.OutputStarted) -> None:
        if event.kind == OutputKind.OUTPUT_KIND_TOOL_CALL:
            call = event.started.tool_call
            self._tools[event.index] = {"id": call.id, "name": call.name, "arguments": ""}
        if event.kind != OutputKind.OUTPUT_KIND_DATA or self._saved or event.started.HasField("preview_of"):
            return
        if self._terminal:
            raise UsageError(
                f"the model makes {event.media_type or 'data'}, which is nothing for a terminal",
                hint="name a file with -o, or pipe it into something",
            )
        if self._piped is not None:
            raise UsageError("the model makes several outputs", hint="name a folder for them with -o")
        self._piped = event.index

    def _complete(self, event: events.OutputCompleted) -> None:
        if (call := self._tools.pop(event.index, None)) is not None:
            call["arguments"] = call["arguments"] or event.completed.part.tool_call.arguments
            self._text(json.dumps({"tool_call": call}, ensure_ascii=False) + "\n")
            return
        kind = event.completed.part.WhichOneof("content")
        if kind in _JSON_KINDS:
            self._text(json.dumps({kind: output.plain(getattr(event.completed.part, kind))}) + "\n")
        elif kind == "asset" and not event.text:
            self._text(event.completed.part.asset.uri + "\n")

    def _text(self, text: str) -> None:
        if self._piped is not None:
            # stdout carries an output's bytes: what is said about it goes elsewhere.
            sys.stderr.write(output.safe(text))
            sys.stderr.flush()
            return
        self._write_text(output.safe(text) if self._terminal else text)

    def _write_text(self, text: str) -> None:
        self._waiting.hide()
        if self._thinking:
            output.note("")
            self._thinking = False
        sys.stdout.write(text)
        sys.stdout.flush()
        self._ends_line = text.endswith("\n")


class JsonLines:
    """One JSON object on a line for every event, the whole result as the last one. Bytes only go to files.

    Args:
        saved: Data goes to files.
    """

    def __init__(self, *, saved: bool) -> None:
        self._saved = saved

    def event(self, event: Event) -> None:
        """Prints it."""
        if isinstance(event, events.OutputStarted) and event.kind == OutputKind.OUTPUT_KIND_DATA and not self._saved:
            raise UsageError(f"the model makes {event.media_type}, which JSON cannot hold", hint="name a file with -o")
        if (encode := _LINES.get(type(event))) is not None:
            _print_line(encode(event))

    def result(self, result: Result) -> None:
        """The last line."""
        _print_line({"event": "result", **result.to_dict()})

    def failed(self, error: MediaConduitError) -> None:
        """The last line of a call that failed."""
        _print_line(
            {
                "event": "error",
                "reason": error.reason.value,
                "message": error.message,
                "hint": error.hint,
                "fields": [asdict(field) for field in error.fields],
                "retryable": error.retryable,
            }
        )


def _print_line(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _started(e: events.Started) -> dict[str, Any]:
    return {"event": "started", "generation": e.generation, "model": e.model}


def _output_started(e: events.OutputStarted) -> dict[str, Any]:
    kind = OutputKind.Name(e.kind).removeprefix("OUTPUT_KIND_").lower()
    return {"event": "output_started", "index": e.index, "kind": kind, "media_type": e.media_type}


def _progress(e: events.Progress) -> dict[str, Any]:
    facts = {
        "fraction": e.fraction,
        "stage": e.stage,
        "message": e.message,
        "queue_position": e.queue_position,
        "remaining": e.remaining,
        "log_lines": list(e.log_lines),
    }
    return {"event": "progress", **{key: value for key, value in facts.items() if value not in (None, "", [])}}


def _usage(e: events.UsageUpdate) -> dict[str, Any]:
    return {"event": "usage", **MessageToDict(e.usage, preserving_proto_field_name=True)}


_LINES: Final[dict[type[Event], Callable[[Any], dict[str, Any]]]] = {
    events.Started: _started,
    events.OutputStarted: _output_started,
    events.TextDelta: lambda e: {"event": "text", "index": e.index, "candidate": e.candidate, "text": e.text},
    events.TranscriptDelta: lambda e: {"event": "transcript", "index": e.index, "text": e.transcript},
    events.ReasoningDelta: lambda e: {"event": "reasoning", "index": e.index, "text": e.reasoning},
    events.DataDelta: lambda e: {"event": "data", "index": e.index, "bytes": len(e.data)},
    events.Progress: _progress,
    events.Notice: lambda e: {"event": "notice", "code": e.code, "message": e.message},
    events.UsageUpdate: _usage,
}
