"""Reports and complaints of ffmpeg."""

import pytest
from ffmpeg_provider.progress import ProgressReader, Tick, complaint, failure, progress
from mediaconduit_provider import (
    ExhaustedError,
    InvalidRequestError,
    MediaConduitError,
    PreconditionError,
    UnavailableError,
)


def ticks(text: str) -> list[Tick]:
    reader = ProgressReader()
    return [tick for line in text.splitlines() if (tick := reader.feed(line)) is not None]


def test_reports_become_ticks() -> None:
    text = (
        "frame=25\nout_time_us=1000000\nspeed=2.5x\nprogress=continue\nout_time_us=2000000\nspeed=4e+03x\nprogress=end"
    )
    assert ticks(text) == [Tick(1.0, 2.5, 25), Tick(2.0, 4000.0, 0, end=True)]


def test_what_is_not_known_yet_stays_unknown() -> None:
    assert ticks("out_time_us=N/A\nspeed=N/A\nprogress=continue\nnoise") == [Tick(None, None)]
    assert ticks("out_time_us=-23220\nprogress=continue") == [Tick(0.0, None)]


def test_fraction_and_remaining_follow_the_length() -> None:
    report = progress(Tick(2.0, 4.0), 10.0)
    assert report.fraction == pytest.approx(0.2)
    assert report.remaining.ToMilliseconds() == 2000
    assert progress(Tick(11.0, 4.0), 10.0).fraction == 1.0


@pytest.mark.parametrize(("tick", "length"), [(Tick(2.0, 4.0), None), (Tick(None, None), 10.0), (Tick(1.0, 1.0), 0.0)])
def test_without_a_length_there_is_no_fraction(tick: Tick, length: float | None) -> None:
    report = progress(tick, length)
    assert report.stage == "running"
    assert not report.HasField("fraction")


LOG = [
    "[info] Input #0, wav, from 'file:/secret/folder/in':",
    "[Parsed_scale_0 @ 0x55] [error] Undefined constant or missing '(' in 'wat'",
    "[in#0 @ 0x5604] [error] Error opening input: Invalid data found",
    "[fatal] Error opening output files: Invalid argument",
]


def test_the_line_that_tells_most_is_chosen() -> None:
    assert complaint(LOG) == "Undefined constant or missing '(' in 'wat'"
    assert complaint(["[fatal] Error opening input files: Invalid data"]) == "Error opening input files: Invalid data"
    assert complaint(["nothing", "[info] fine"]) == ""


def test_complaints_hold_no_paths() -> None:
    said = complaint(["[error] file:/secret/folder/in: Permission denied, see '/etc/hosts' at 100 kb/s"])
    assert said == "a file Permission denied, see 'a file' at 100 kb/s"


@pytest.mark.parametrize(
    ("status", "log", "family", "text"),
    [
        (-9, [], UnavailableError, "SIGKILL"),
        (1, ["[error] Unknown encoder 'libx264'"], PreconditionError, "Unknown encoder"),
        (1, ["[error] av_interleaved_write_frame(): No space left on device"], ExhaustedError, "disk is full"),
        (1, ["[error] moov atom not found"], InvalidRequestError, "moov atom not found"),
        (187, [], InvalidRequestError, "status 187"),
    ],
)
def test_every_end_has_a_typed_error(status: int, log: list[str], family: type[MediaConduitError], text: str) -> None:
    error = failure(status, log, field="turns[0].parts[0]", filter_field="")
    assert type(error) is family
    assert text in str(error)
    assert error.hint


def test_mistakes_in_the_callers_filter_name_its_option() -> None:
    error = failure(1, LOG, field="turns[0].parts[0]", filter_field="options.extra.filter")
    assert [f.field for f in error.fields] == ["options.extra.filter"]
    error = failure(1, ["[error] moov atom not found"], field="turns[0].parts[0]", filter_field="options.extra.filter")
    assert [f.field for f in error.fields] == ["turns[0].parts[0]"]
