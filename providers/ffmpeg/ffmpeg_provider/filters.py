"""Which of ffmpeg's filters a caller may use, and whether a filtergraph uses only those.

A filtergraph is a small program: some filters read or write files (movie, subtitles, curves, lut3d, metadata), open
sockets (zmq, azmq), load libraries (frei0r, ladspa, lv2) or command other filters (sendcmd), and since version 7 any
option can be loaded from a file by a slash before its name. So filters are allowed by name, and everything
the parser here does not understand is refused.
"""

from __future__ import annotations

import re
from typing import Final

from mediaconduit_provider import InvalidRequestError

VIDEO_FILTERS: Final = frozenset(
    """
    alphaextract alphamerge amplify atadenoise avgblur bilateral blend boxblur bwdif cas chromahold chromakey chromanr
    chromashift colorbalance colorchannelmixer colorcontrast colorcorrect colorhold colorize colorkey colorlevels
    colorspace colortemperature copy crop dblur deband deblock decimate deflate deflicker dejudder delogo despill
    dilation drawbox drawgrid edgedetect elbg epx eq erosion exposure fade fftdnoiz fillborders format fps framerate
    framestep gblur geq gradfun grayworld greyedge hflip histeq histogram hqdn3d hqx hstack hsvhold hsvkey hue
    huesaturation inflate interlace kirsch lagfun lenscorrection limiter lumakey lut lutrgb lutyuv maskedmerge median
    mergeplanes minterpolate monochrome mpdecimate negate nlmeans noise normalize null overlay pad perspective phase
    pixelize premultiply prewitt pseudocolor pullup random removegrain reverse rgbashift roberts rotate scale scharr
    scroll select separatefields setdar setfield setparams setpts setrange setsar settb shear
    shuffleframes shuffleplanes smartblur sobel split stereo3d super2xsai swaprect swapuv tblend telecine threshold
    thumbnail tile tiltandshift tinterlace tmedian tmix tonemap tpad transpose trim unpremultiply unsharp v360
    vaguedenoiser vflip vibrance vignette vstack xbr xfade yadif yaepblur zoompan zscale
    """.split()
)
"""Filters for moving pictures and images."""

AUDIO_FILTERS: Final = frozenset(
    """
    acompressor acontrast acopy acrusher adeclick adeclip adecorrelate adelay adenorm aderivative adrc
    adynamicequalizer adynamicsmooth aecho aemphasis aeval aexciter afade afftdn afftfilt aformat afreqshift afwtdn
    agate aintegral alimiter allpass amerge amix anlmdn anull apad aphaser aphaseshift apsyclip apulsator aresample
    areverse aselect asetnsamples asetpts asetrate asettb asoftclip asplit asubboost asubcut asupercut asuperpass
    asuperstop atempo atilt atrim bandpass bandreject bass biquad channelmap chorus compand compensationdelay
    crossfeed crystalizer dcshift deesser dialoguenhance dynaudnorm earwax equalizer extrastereo flanger haas hdcd
    highpass highshelf join lowpass lowshelf mcompand pan rubberband silenceremove speechnorm stereotools
    stereowiden superequalizer surround tiltshelf treble tremolo vibrato virtualbass volume
    """.split()
)
"""Filters for sound."""

MAX_LENGTH: Final = 4000
"""Characters of a filtergraph."""

_LABEL: Final = re.compile(r"\s*\[([A-Za-z][A-Za-z0-9]*)\]")
_NAME: Final = re.compile(r"\s*([a-z0-9_]+)\s*")
# Options that name files. No allowed filter of today has one, positional or named (loudnorm and selectivecolor do).
_FILE_OPTIONS: Final = frozenset(
    {"stats_file", "filename", "file", "psfile", "textfile", "fontfile", "plot", "dumpfile"}
)


def check(graph: str, allowed: frozenset[str], field: str) -> str:
    """The graph itself when it uses allowed filters only; may have branches, needs one open input and one open output.

    Raises:
        InvalidRequestError: It does not; `field` names the option.
    """
    if len(graph) > MAX_LENGTH:
        raise InvalidRequestError.at(field, f"{len(graph)} characters; at most {MAX_LENGTH} are taken")
    if not graph.isprintable():
        raise InvalidRequestError.at(field, "line breaks and control characters are not taken")
    for filter_text in _split(graph, ",;", field):
        name, arguments = _parse(filter_text, field)
        if name not in allowed:
            raise InvalidRequestError.at(
                field,
                f"filter {name!r} is not allowed here",
                hint="allowed: " + " ".join(_nearest(name, allowed)) + " …; the README lists all",
            )
        _check_arguments(name, arguments, field)
    return graph


def _nearest(name: str, allowed: frozenset[str]) -> list[str]:
    same = sorted(f for f in allowed if f[:2] == name[:2])
    return [*same, *sorted(allowed - set(same))][:8]


def _split(text: str, separators: str, field: str) -> list[str]:
    """Splits where ffmpeg does: not inside quotes, brackets of labels, or after a backslash."""
    pieces, current, quoted, escaped = [], "", False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and not quoted:
            escaped = True
        elif character == "'":
            quoted = not quoted
        elif character in separators and not quoted:
            pieces.append(current)
            current = ""
            continue
        current += character
    if quoted or escaped:
        raise InvalidRequestError.at(field, "a quote is not closed, or a backslash ends it")
    return [*pieces, current]


def _parse(text: str, field: str) -> tuple[str, str]:
    """Name and arguments of one filter, labels taken off."""
    while match := _LABEL.match(text):
        text = text[match.end() :]
    match = _NAME.match(text)
    if match is None:
        what = text.strip()[:40] or "nothing"
        raise InvalidRequestError.at(field, f"expected a filter, found {what!r}; labels are letters and digits")
    rest = text[match.end() :]
    labels = re.search(r"((?:\s*\[[A-Za-z][A-Za-z0-9]*\])*)\s*$", rest)
    rest = rest[: labels.start()] if labels else rest
    if rest and not rest.startswith("="):
        raise InvalidRequestError.at(field, f"expected '=' after filter {match.group(1)!r}")
    return match.group(1), rest[1:]


def _check_arguments(name: str, arguments: str, field: str) -> None:
    plain = _unquote(arguments)
    if "[" in plain or "]" in plain:
        raise InvalidRequestError.at(field, f"brackets in the arguments of {name!r} are not taken")
    if "'" in plain or "\\" in plain:
        raise InvalidRequestError.at(field, f"quotes within quotes in the arguments of {name!r} are not taken")
    for argument in plain.split(":"):
        key = argument.partition("=")[0].strip()
        if "/" in key and "=" in argument:
            raise InvalidRequestError.at(field, f"options of {name!r} cannot be loaded from files")
        if key in _FILE_OPTIONS:
            raise InvalidRequestError.at(field, f"option {key!r} of {name!r} is not allowed")


def _unquote(text: str) -> str:
    """One level of quoting taken off, as ffmpeg's own parser of graphs does."""
    plain, quoted, escaped = "", False, False
    for character in text:
        if escaped:
            plain, escaped = plain + character, False
        elif character == "\\" and not quoted:
            escaped = True
        elif character == "'":
            quoted = not quoted
        else:
            plain += character
    return plain
