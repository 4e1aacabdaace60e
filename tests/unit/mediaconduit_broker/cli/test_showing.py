"""What no provider at hand does: events a terminal or a pipe has to be shown."""

import asyncio
import io
import json
import sys

import pytest
from mediaconduit import events
from mediaconduit.v1 import events_pb2
from mediaconduit.v1.events_pb2 import OutputKind
from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.failures import UsageError
from mediaconduit_broker.cli.progress import Waiting
from mediaconduit_broker.cli.showing import JsonLines, Plain


class Stream(io.TextIOWrapper):
    """A standard stream, on a terminal or not, that remembers what was written."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def written(self) -> bytes:
        return self.buffer.getvalue()


@pytest.fixture
def streams(monkeypatch):
    def make(*, terminal: bool) -> tuple[Stream, Stream]:
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        output.console.cache_clear()
        return out, err

    yield make
    output.console.cache_clear()


def begun(index: int, kind: OutputKind.ValueType, media_type: str = "audio/wav", **fields: int) -> events.OutputStarted:
    started = events_pb2.OutputStarted(index=index, kind=kind, media_type=media_type, **fields)
    return events.OutputStarted(index, index, kind, media_type, started)


def show(*shown: events.Event, saved: bool = False) -> None:
    plain = Plain(Waiting(Stream(terminal=False), "x"), saved=saved)
    for event in shown:
        plain.event(event)


DATA, TEXT = OutputKind.OUTPUT_KIND_DATA, OutputKind.OUTPUT_KIND_TEXT


def test_text_beside_data_in_a_pipe_goes_to_stderr(streams):
    out, err = streams(terminal=False)
    show(
        begun(0, DATA),
        events.DataDelta(1, 0, data=b"\0\1"),
        begun(1, TEXT, "text/plain"),
        events.TextDelta(2, 1, 0, (), text="said"),
    )
    assert (out.written, err.written) == (b"\0\1", b"said")


def test_previews_do_not_get_into_a_pipe(streams):
    out, _ = streams(terminal=False)
    show(
        begun(0, DATA),
        begun(1, DATA, "image/jpeg", preview_of=0),
        events.DataDelta(3, 0, data=b"sharp"),
        events.PreviewDelta(4, 1, 0, events_pb2.OutputDelta(data=b"blurred"), data=b"blurred"),
    )
    assert out.written == b"sharp"


def test_of_several_answers_the_first_is_shown(streams):
    out, _ = streams(terminal=False)
    show(events.TextDelta(1, 0, 0, (), text="one"), events.TextDelta(2, 1, 1, (), text="other"))
    assert out.written == b"one"


def test_data_that_was_not_streamed_is_written_too(streams):
    out, _ = streams(terminal=False)
    completed = events_pb2.OutputCompleted()
    completed.part.data = b"whole"
    show(begun(0, DATA), events.OutputCompleted(2, 0, completed, data=b"whole"))
    assert out.written == b"whole"


def test_what_is_held_elsewhere_is_named(streams):
    out, _ = streams(terminal=False)
    completed = events_pb2.OutputCompleted()
    completed.part.asset.uri = "https://example.org/film.mp4"
    show(begun(0, DATA), events.OutputCompleted(2, 0, completed), saved=True)
    assert out.written == b"https://example.org/film.mp4\n"


def test_a_terminal_gets_no_data(streams):
    out, _ = streams(terminal=True)
    with pytest.raises(UsageError, match="audio/wav"):
        show(begun(0, DATA))
    assert out.written == b""


def test_a_terminal_gets_a_whole_last_line_and_a_pipe_nothing_added(streams):
    text = events.TextDelta(1, 0, 0, (), text="no newline")
    end = events.Completed(2, (), events_pb2.Usage(), events_pb2.Provenance())
    out, _ = streams(terminal=True)
    show(text, end)
    assert out.written == b"no newline\n"
    out, _ = streams(terminal=False)
    show(text, end)
    assert out.written == b"no newline"


def test_reasoning_is_for_a_terminal_and_beside_the_answer(streams):
    thought = events.ReasoningDelta(1, 0, "hmm")
    out, err = streams(terminal=True)
    show(thought)
    assert (out.written, b"hmm" in err.written) == (b"", True)
    out, err = streams(terminal=False)
    show(thought)
    assert (out.written, err.written) == (b"", b"")


def test_progress_for_machines_has_what_is_known(streams):
    out, _ = streams(terminal=False)
    lines = JsonLines(saved=True)
    lines.event(events.Progress(1, 0.0, "queued", "", 2, None, ()))
    lines.event(events.Notice(2, "OPTION_DROPPED", "no seed"))
    assert [json.loads(line) for line in out.written.splitlines()] == [
        {"event": "progress", "fraction": 0.0, "stage": "queued", "queue_position": 2},
        {"event": "notice", "code": "OPTION_DROPPED", "message": "no seed"},
    ]


def test_the_answer_begins_on_a_line_of_its_own_after_reasoning(streams):
    out, err = streams(terminal=True)
    show(events.ReasoningDelta(1, 0, "hmm"), events.TextDelta(2, 1, 0, (), text="so"))
    assert err.written.endswith(b"\n")
    assert out.written == b"so"


async def timers_fired() -> None:
    """Those that were due before this was called."""
    fired = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0, fired.set_result, None)
    await fired


async def test_a_long_call_shows_how_far_it_is_and_cleans_up(streams):
    _, err = streams(terminal=True)
    async with Waiting(sys.stderr, "film", after=0) as waiting:
        waiting.event(events.Progress(1, 0.5, "running", "", 3, None, ()))
        await timers_fired()
        waiting.hide()
        shown = err.written.decode()
        assert "film" in shown
        assert "running (3 before it)" in shown
        assert shown.endswith("\x1b[2K")
        waiting.event(events.Progress(2, 1.0, "done", "", None, None, ()))
        assert err.written.decode() == shown


async def test_nothing_is_shown_where_nobody_looks_or_when_it_is_quick(streams):
    for terminal, after in ((False, 0.0), (True, 60.0)):
        _, err = streams(terminal=terminal)
        async with Waiting(sys.stderr, "film", after=after) as waiting:
            waiting.event(events.Progress(1, 0.5, "running", "", None, None, ()))
            await timers_fired()
        assert err.written == b""
