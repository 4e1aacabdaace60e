"""Options and facts in, command lines out."""

from collections.abc import Mapping
from typing import Any

import pytest
from ffmpeg_provider.commands import STDIN, STDOUT, Media, Plan, command, fit, number
from ffmpeg_provider.formats import CONTAINERS, OUTPUTS
from ffmpeg_provider.plans import PLANNERS, Inputs
from ffmpeg_provider.probe import Facts
from mediaconduit_provider import InvalidRequestError

SOUND = Media("turns[0].parts[0]", "audio/wav", "file:/in", Facts("wav", 10.0, sample_rate=44100, audio=True))
PIPED = Media("turns[0].parts[0]", "audio/wav", STDIN)
VIDEO = Media(
    "turns[0].parts[0]", "video/mp4", "file:/in", Facts("mov", 10.0, 640, 360, 25.0, 44100, 2, video=True, audio=True)
)
SILENT = Media("turns[0].parts[0]", "video/mp4", "file:/in", Facts("mov", 10.0, 640, 360, 25.0, video=True))
CARD = Media("turns[0].parts[1]", "image/png", "file:/card", Facts("png_pipe", None, 200, 100, 25.0, video=True))
CLIP = Media("turns[0].parts[1]", "video/mp4", "file:/clip", Facts("mov", 4.0, 200, 100, 25.0, video=True))


def plan(
    model: str,
    *mains: Media,
    to: str = "",
    named: Mapping[str, Media] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Plan:
    kind = {"convert": "audio/wav", "extract": "audio/wav", "frame": "image/png"}.get(model, "video/mp4")
    return PLANNERS[model](options or {}, Inputs(mains, named or {}), OUTPUTS[to or kind])


def after(arguments: tuple[str, ...], option: str) -> str:
    return arguments[arguments.index(option) + 1] if option in arguments else ""


def violation(caught: pytest.ExceptionInfo[InvalidRequestError]) -> str:
    return caught.value.fields[0].field


def test_a_command_reads_only_through_guards_and_runs_no_shell() -> None:
    made = command("ffmpeg", plan("edit", VIDEO, named={"overlay": CARD}), STDOUT, progress_fd=7, threads=2)
    text = " ".join(made)
    assert made[:2] == ["ffmpeg", "-nostdin"]
    assert made.count("-i") == made.count("-protocol_whitelist") == made.count("-format_whitelist") == 2
    assert after(tuple(made), "-protocol_whitelist") == "file,pipe,fd"
    assert after(tuple(made), "-progress") == "pipe:7"
    assert "-threads 2" in text
    assert made[-1] == STDOUT


@pytest.mark.parametrize("demuxer", ["concat", "hls", "dash", "image2", "image2pipe", "lavfi", "sdp", "rtsp", "tty"])
def test_formats_that_name_other_files_are_on_no_list(demuxer: str) -> None:
    assert demuxer not in CONTAINERS


@pytest.mark.parametrize(
    ("options", "before", "length"),
    [
        ({}, (), 10.0),
        ({"extra.start": 2.0}, ("-ss", "2"), 8.0),
        ({"extra.end": 4.0}, ("-t", "4"), 4.0),
        ({"extra.end": 40.0}, ("-t", "10"), 10.0),
        ({"extra.start": 2.0, "extra.end": 4.5}, ("-ss", "2", "-t", "2.5"), 2.5),
        ({"audio.duration": 3.0}, ("-t", "3"), 3.0),
        ({"audio.duration": 3.0, "audio.speed": 2.0}, ("-t", "6"), 3.0),
        ({"audio.speed": 0.5}, (), 20.0),
        ({"audio.duration": 3.0, "extra.end": 2.0}, ("-t", "2"), 2.0),
    ],
)
def test_the_piece_of_the_input(options: dict[str, Any], before: tuple[str, ...], length: float) -> None:
    made = plan("convert", SOUND, options=options)
    assert made.sources[0].arguments == before
    assert made.length == pytest.approx(length)


def test_the_length_of_a_piped_input_is_open_unless_it_is_cut() -> None:
    assert plan("convert", PIPED).length is None
    assert plan("convert", PIPED, options={"extra.end": 3.0}).length == 3.0


@pytest.mark.parametrize(
    ("options", "filters"),
    [
        ({}, ""),
        ({"audio.speed": 1.5}, "atempo=1.5"),
        ({"audio.gain_db": -3}, "volume=-3dB"),
        ({"audio.pitch": 12}, "rubberband=pitch=2"),
        ({"extra.normalize": True}, "loudnorm=I=-16:TP=-1.5:LRA=11,aresample=44100"),
        ({"extra.fade_in": 1, "extra.fade_out": 2}, "afade=t=in:st=0:d=1,afade=t=out:st=8:d=2"),
        ({"extra.fade_out": 99}, "afade=t=out:st=0:d=10"),
        ({"extra.filter": "highpass=f=200", "audio.gain_db": 6}, "highpass=f=200,volume=6dB"),
    ],
)
def test_sound_options_become_filters(options: dict[str, Any], filters: str) -> None:
    assert after(plan("convert", SOUND, options=options).arguments, "-af") == filters


@pytest.mark.parametrize(
    ("to", "options", "expected"),
    [
        ("audio/mpeg", {"extra.audio_bitrate": 64000}, ["-c:a", "libmp3lame", "-b:a", "64000"]),
        ("audio/wav", {"extra.sample_rate": 16000, "extra.channels": 1}, ["-ar", "16000", "-ac", "1"]),
        ("audio/ogg", {"extra.sample_rate": 48000}, ["-c:a", "libopus", "-ar", "48000"]),
    ],
)
def test_formats_of_sound(to: str, options: dict[str, Any], expected: list[str]) -> None:
    assert " ".join(expected) in " ".join(plan("convert", SOUND, to=to, options=options).arguments)


@pytest.mark.parametrize(
    ("model", "main", "to", "options", "where"),
    [
        ("convert", SOUND, "audio/wav", {"extra.audio_bitrate": 64000}, "options.extra.audio_bitrate"),
        ("convert", SOUND, "audio/ogg", {"extra.sample_rate": 44100}, "options.extra.sample_rate"),
        ("convert", SOUND, "audio/mpeg", {"extra.channels": 6}, "options.extra.channels"),
        ("convert", SOUND, "", {"extra.start": 10.0}, "options.extra.start"),
        ("convert", SOUND, "", {"extra.start": 3.0, "extra.end": 3.0}, "options.extra.end"),
        ("convert", PIPED, "", {"extra.fade_out": 1.0}, "options.extra.fade_out"),
        ("convert", SOUND, "", {"extra.filter": "amovie=x"}, "options.extra.filter"),
        ("edit", VIDEO, "", {"extra.filter": "movie=x"}, "options.extra.filter"),
        ("edit", VIDEO, "", {"extra.audio_filter": "hflip"}, "options.extra.audio_filter"),
        ("edit", VIDEO, "image/gif", {"video.frame.quality": "high"}, "options.video.frame.quality"),
        ("frame", VIDEO, "", {"extra.at": 11.0}, "options.extra.at"),
        ("frame", VIDEO, "image/png", {"image.quality": "low"}, "options.image.quality"),
        ("waveform", SOUND, "", {"extra.style": "none"}, "options.extra.style"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    model: str, main: Media, to: str, options: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        plan(model, main, to=to, options=options)
    assert violation(caught) == where


@pytest.mark.parametrize(
    ("width", "height", "how", "expected"),
    [
        (None, None, "contain", "trunc(iw/2)*2"),
        (320, None, "contain", "scale=320:-2"),
        (None, 240, "contain", "scale=-2:240"),
        (320, 240, "contain", "pad=320:240"),
        (320, 240, "cover", "crop=320:240"),
        (320, 240, "stretch", "scale=320:240,setsar=1"),
    ],
)
def test_sizes(width: int | None, height: int | None, how: str, expected: str) -> None:
    assert expected in fit(width, height, how, even=True)


def test_a_frame_is_sought_before_it_is_decoded() -> None:
    made = plan("frame", VIDEO, to="image/jpeg", options={"extra.at": 2.5, "image.width": 100, "image.quality": "high"})
    assert made.sources[0].arguments == ("-ss", "2.5")
    assert after(made.arguments, "-vf") == "scale=100:-1,setsar=1,format=yuvj420p"
    assert after(made.arguments, "-q:v") == "2"
    assert made.length is None


def test_an_edit_does_all_that_is_asked_in_order() -> None:
    options = {"extra.filter": "hflip", "extra.speed": 2.0, "video.frame_rate": 30, "extra.fade_out": 1.0}
    made = plan("edit", VIDEO, options={**options, "video.frame.width": 320, "video.frame.quality": "low"})
    assert after(made.arguments, "-vf") == (
        "hflip,scale=320:-2,setsar=1,setpts=PTS/2,fps=30,fade=t=out:st=4:d=1,format=yuv420p"
    )
    assert after(made.arguments, "-af") == "atempo=2,afade=t=out:st=4:d=1"
    assert after(made.arguments, "-crf") == "30"
    assert made.length == 5.0


@pytest.mark.parametrize(
    ("main", "to", "options"),
    [(SILENT, "", {}), (VIDEO, "", {"video.sound": False}), (VIDEO, "image/gif", {})],
)
def test_there_is_no_sound_where_there_is_none_or_none_is_wanted(main: Media, to: str, options: dict[str, Any]) -> None:
    assert "-an" in plan("edit", main, to=to, options=options).arguments


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "overlay=440:260:shortest=1"),
        ({"position": "top-left"}, "overlay=0:0:"),
        ({"position": "center"}, "overlay=220:130:"),
        ({"x": 0.25, "y": 1}, "overlay=110:260:"),
        ({"width": 0.5}, "scale=320:160"),
        ({"width": 1.0}, "scale=640:320"),
        ({"opacity": 0.5}, "colorchannelmixer=aa=0.5"),
        ({"blend": "multiply"}, "blend=all_mode=multiply"),
        ({"start": 1, "end": 3}, "enable='between(t,1,3)'"),
        ({"start": 1}, "enable='gte(t,1)'"),
        ({"start": 1, "end": 3, "fade_in": 0.5, "fade_out": 0.5}, "fade=t=in:st=1:d=0.5:alpha=1"),
        ({"end": 3, "fade_out": 0.5}, "fade=t=out:st=2.5:d=0.5:alpha=1"),
    ],
)
def test_overlays(how: dict[str, Any], expected: str) -> None:
    made = plan("edit", VIDEO, named={"overlay": CARD}, options={"extra.overlay": how})
    assert expected in after(made.arguments, "-filter_complex")


def test_a_video_laid_over_another_ends_when_it_ends() -> None:
    made = plan("edit", VIDEO, named={"overlay": CLIP}, options={"extra.overlay": {"fade_out": 1, "start": 2}})
    graph = after(made.arguments, "-filter_complex")
    assert "eof_action=pass" in graph
    assert "fade=t=out:st=5:d=1:alpha=1" in graph


@pytest.mark.parametrize(
    ("overlay", "how", "where"),
    [
        (CARD, {"start": 2, "end": 1}, "options.extra.overlay.end"),
        (CARD, {"fade_out": 1}, "options.extra.overlay.fade_out"),
    ],
)
def test_overlays_that_make_no_sense_are_refused(overlay: Media, how: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        plan("edit", VIDEO, named={"overlay": overlay}, options={"extra.overlay": how})
    assert violation(caught) == where


@pytest.mark.parametrize(
    ("count", "audio", "options", "length"),
    [
        (1, None, {}, 3.0),
        (3, None, {"extra.seconds_per_image": 2.0}, 6.0),
        (3, None, {"extra.seconds_per_image": 2.0, "extra.crossfade": 0.5}, 5.0),
        (2, SOUND, {}, 10.0),
        (2, SOUND, {"extra.seconds_per_image": 1.0}, 2.0),
        (2, SOUND, {"video.duration": 7.0}, 7.0),
    ],
)
def test_slide_shows_last_as_long_as_asked_or_as_their_sound(
    count: int, audio: Media | None, options: dict[str, Any], length: float
) -> None:
    made = plan("animate", *([CARD] * count), named={"audio": audio} if audio else {}, options=options)
    assert made.length == pytest.approx(length)
    assert after(made.arguments, "-t") == number(length)
    assert len(made.sources) == count + (audio is not None)


def test_slide_shows_join_or_crossfade() -> None:
    joined = plan("animate", CARD, CARD, CARD)
    assert "concat=n=3:v=1" in after(joined.arguments, "-filter_complex")
    faded = plan("animate", CARD, CARD, CARD, options={"extra.crossfade": 1.0, "extra.transition": "wipeleft"})
    graph = after(faded.arguments, "-filter_complex")
    assert graph.count("xfade=transition=wipeleft:duration=1") == 2
    assert "offset=4[mc_x]" in graph
    with pytest.raises(InvalidRequestError):
        plan("animate", CARD, CARD, options={"extra.crossfade": 3.0})


def test_a_waveform_is_drawn_over_ground_or_picture() -> None:
    drawn = after(plan("waveform", SOUND, options={"extra.color": "#ff0000"}).arguments, "-filter_complex")
    assert "color=c=#000000:s=1280x720" in drawn
    assert "colors=#ff0000" in drawn
    shown = after(plan("waveform", SOUND, named={"image": CARD}).arguments, "-filter_complex")
    assert "showwaves" not in shown
    assert "pad=200:100" in shown
