"""What filtergraphs callers may give."""

import re
import subprocess

import pytest
from ffmpeg_provider.filters import AUDIO_FILTERS, MAX_LENGTH, VIDEO_FILTERS, check
from mediaconduit_provider import InvalidRequestError

FIELD = "options.extra.filter"


@pytest.mark.parametrize(
    "graph",
    [
        "hflip",
        "scale=iw/2:ih/2,hue=s=0",
        "scale=w='min(320,iw)':h=-2",
        "split[a][b];[a]hflip[c];[b][c]hstack",
        "split[a][b];[a] negate [c];[b][c] blend=all_mode=average",
        "eq=contrast=1.2:brightness=0.05",
        "fade=t=in:st=0:d=1:enable='between(t,0,1)'",
        "geq=lum='255-lum(X,Y)':cb=128:cr=128",
        r"drawbox=x=if(gt(iw\,10)\,10\,0):w=4:h=4",
        "  vflip , hflip  ",
        "rotate=0.1",
    ],
)
def test_graphs_of_allowed_filters_pass_unchanged(graph: str) -> None:
    assert check(graph, VIDEO_FILTERS, FIELD) == graph


@pytest.mark.parametrize(
    "graph",
    [
        "movie=/etc/passwd",
        "hflip,movie=/etc/passwd[a];[a]null",
        "hflip;movie=x",
        "[in]subtitles=/etc/passwd[out]",
        "ass=x",
        "sendcmd=f=/tmp/x",
        "zmq",
        "drawtext=textfile=/etc/passwd",
        "lut3d=/tmp/x",
        "curves=plot=/tmp/x",
        "metadata=print:file=/tmp/x",
        "frei0r=x",
        "loudnorm=stats_file=/tmp/x",
        "selectivecolor=psfile=/etc/passwd",
        "sws_flags=bicubic;scale=10:10",
        "'movie'=x",
        r"mov\ie=x",
        "m'ov'ie=x",
        "hflip@a",
        "HFLIP",
    ],
)
def test_filters_that_are_not_on_the_list_are_refused(graph: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check(graph, VIDEO_FILTERS, FIELD)
    assert caught.value.fields[0].field == FIELD


@pytest.mark.parametrize(
    "graph",
    [
        "scale=/w=/etc/passwd",
        "scale=h=10:/w=/etc/passwd",
        "scale=h=10: /w =/etc/passwd",
        r"scale=\/w=/etc/passwd",
        "scale='/w'=/etc/passwd",
        "'scale=/w=/etc/passwd'",
        r"scale=h=10\:/w=/etc/passwd",
        r"scale=h='10\':/w=/etc/passwd'",
        "[a]scale=/w=x[b]",
    ],
)
def test_options_cannot_be_loaded_from_files(graph: str) -> None:
    with pytest.raises(InvalidRequestError):
        check(graph, VIDEO_FILTERS, FIELD)


@pytest.mark.parametrize(
    "graph",
    [
        "",
        ",",
        "hflip,",
        "hflip;;vflip",
        "hflip'",
        "hflip\\",
        "hflip\nvflip",
        "[0:v]hflip",
        "[mc_base]null",
        "[a",
        "scale=" + "1" * MAX_LENGTH,
    ],
)
def test_what_is_not_understood_is_refused(graph: str) -> None:
    with pytest.raises(InvalidRequestError):
        check(graph, VIDEO_FILTERS, FIELD)


def test_a_refusal_says_what_is_allowed() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check("movie=x", VIDEO_FILTERS, FIELD)
    assert "'movie' is not allowed" in caught.value.message
    assert "monochrome" in caught.value.hint


def test_sound_filters_are_not_for_pictures() -> None:
    assert check("volume=2", AUDIO_FILTERS, FIELD)
    with pytest.raises(InvalidRequestError):
        check("volume=2", VIDEO_FILTERS, FIELD)
    with pytest.raises(InvalidRequestError):
        check("amovie=x", AUDIO_FILTERS, FIELD)


def test_no_allowed_filter_has_an_option_that_names_a_file(ffmpeg: str) -> None:
    def options_of(name: str) -> str:
        done = subprocess.run(
            [ffmpeg, "-hide_banner", "-h", f"filter={name}"], capture_output=True, text=True, check=True
        )
        return done.stdout

    names = re.compile(r"^ +\S*(file|path|url|script|library|address)\S* +<string>", re.MULTILINE)
    assert names.search(options_of("drawtext"))
    guilty = [name for name in sorted(VIDEO_FILTERS | AUDIO_FILTERS) if names.search(options_of(name))]
    assert guilty == []
