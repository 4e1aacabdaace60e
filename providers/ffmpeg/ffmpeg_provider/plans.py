"""From options and facts about the inputs to what ffmpeg shall do, one function for each model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mediaconduit_provider import InvalidRequestError

from ffmpeg_provider import commands as c
from ffmpeg_provider.commands import Media, Options, Plan, Source
from ffmpeg_provider.filters import AUDIO_FILTERS, VIDEO_FILTERS
from ffmpeg_provider.formats import Format
from ffmpeg_provider.overlays import overlay_graph
from ffmpeg_provider.slides import slides_graph


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a call."""

    main: Sequence[Media]
    named: Mapping[str, Media] = field(default_factory=dict)


def convert(options: Options, inputs: Inputs, form: Format) -> Plan:
    """The sound of audio or video in another format."""
    main = inputs.main[0]
    speed = float(options.get("audio.speed", 1.0))
    piece = c.trim(options, main, wanted=options.get("audio.duration"), speed=speed)
    length = c.length_of(piece, main, speed)
    own = c.own_filter(options, "extra.filter", AUDIO_FILTERS)
    rate = main.facts.sample_rate if main.facts else 0
    filters = c.sound(options, length, speed=speed, own=own, rate=rate)
    arguments = ["-map", "0:a:0", *(["-af", filters] if filters else []), *c.audio_codec(options, form)]
    return Plan(
        (Source(main, piece.arguments),),
        tuple(arguments),
        form,
        length,
        speed,
        "options.extra.filter" if own else "",
    )


def frame(options: Options, inputs: Inputs, form: Format) -> Plan:
    """One picture of a video."""
    main = inputs.main[0]
    at = float(options.get("extra.at", 0.0))
    known = main.facts.duration if main.facts else None
    if known is not None and at > known:
        raise InvalidRequestError.at("options.extra.at", f"the video is only {c.number(known)} s long")
    own = c.own_filter(options, "extra.filter", VIDEO_FILTERS)
    filters = c.chain(
        own, c.fit(*c.sides(options, "image"), options.get("extra.fit", "contain"), even=False), c.finish(form)
    )
    arguments = [
        "-map",
        "0:v:0",
        *(["-vf", filters] if filters else []),
        "-frames:v",
        "1",
        *c.video_codec(options, form),
    ]
    seek = ("-ss", c.number(at)) if at else ()
    field_of_filter = "options.extra.filter" if own else ""
    return Plan((Source(main, seek),), tuple(arguments), form, filter_field=field_of_filter)


def edit(options: Options, inputs: Inputs, form: Format) -> Plan:
    """A video cut, scaled, filtered, faded, with another one laid over it."""
    main, overlay = inputs.main[0], inputs.named.get("overlay")
    speed = float(options.get("extra.speed", 1.0))
    piece = c.trim(options, main, wanted=options.get("video.duration"), speed=speed)
    length = c.length_of(piece, main, speed)
    own = c.own_filter(options, "extra.filter", VIDEO_FILTERS)
    own_audio = c.own_filter(options, "extra.audio_filter", AUDIO_FILTERS)
    frame_rate = options.get("video.frame_rate")
    before = c.chain(
        own,
        c.fit(*c.sides(options, "video.frame"), options.get("extra.fit", "contain"), even=bool(form.pixels)),
        f"setpts=PTS/{c.number(speed)}" if speed != 1.0 else "",
        f"fps={c.number(frame_rate)}" if frame_rate else "",
    )
    after = c.chain(c.fades(options, length, audio=False), c.finish(form))
    sources = [Source(main, piece.arguments)]
    if overlay is None:
        arguments = ["-map", "0:v:0", "-vf", c.chain(before, after) or "null"]
    else:
        sources.append(Source(overlay))
        graph = overlay_graph(options.get("extra.overlay", {}), main, overlay, options, before=before, after=after)
        arguments = ["-filter_complex", graph, "-map", "[mc_out]"]
    arguments += c.video_codec(options, form)
    arguments += _kept_sound(options, main, form, length, speed, own_audio)
    used = "options.extra.filter" if own else "options.extra.audio_filter" if own_audio else ""
    return Plan(tuple(sources), tuple(arguments), form, length, speed, used)


def _kept_sound(options: Options, main: Media, form: Format, length: float | None, speed: float, own: str) -> list[str]:
    silent = main.facts is not None and not main.facts.audio
    if options.get("video.sound") is False or not form.audio or silent:
        return ["-an"]
    rate = main.facts.sample_rate if main.facts else 0
    filters = c.sound(options, length, speed=speed, own=own, rate=rate)
    # The question mark: a video without sound is fine, and a piped one does not say beforehand.
    return ["-map", "0:a:0?", *(["-af", filters] if filters else []), *c.audio_codec(options, form)]


def animate(options: Options, inputs: Inputs, form: Format) -> Plan:
    """Pictures as a video, with sound where the input `audio` is given."""
    audio = inputs.named.get("audio")
    count = len(inputs.main)
    per_image = float(options.get("extra.seconds_per_image", 3.0))
    overlap = float(options.get("extra.crossfade", 0.0)) if count > 1 else 0.0
    total = options.get("video.duration")
    if total is None and audio is not None and "extra.seconds_per_image" not in options:
        total = audio.facts.duration if audio.facts else None
    total = float(total) if total else count * per_image - (count - 1) * overlap
    each = (total + (count - 1) * overlap) / count
    if overlap >= each:
        raise InvalidRequestError.at(
            "options.extra.crossfade", f"must be shorter than a picture is shown ({c.number(each)} s)"
        )
    width, height = c.sides(options, "video.frame")
    graph = slides_graph(
        inputs.main,
        options,
        size=_canvas(inputs.main[0], width, height),
        each=each,
        overlap=overlap,
        after=c.chain(c.fades(options, total, audio=False), c.finish(form)),
    )
    sources = [Source(media) for media in inputs.main]
    arguments = ["-filter_complex", graph, "-map", "[mc_out]", *c.video_codec(options, form)]
    if audio is not None and form.audio:
        sources.append(Source(audio))
        filters = c.sound(options, total, rate=audio.facts.sample_rate if audio.facts else 0)
        arguments += ["-map", f"{count}:a:0", *(["-af", filters] if filters else []), *c.audio_codec(options, form)]
    arguments += ["-t", c.number(total)]
    return Plan(tuple(sources), tuple(arguments), form, total)


def _canvas(first: Media, width: int | None, height: int | None, longest: int = 1920) -> tuple[int, int]:
    """The size asked for; a side left out follows the first picture's shape; at most `longest` when none is given."""
    w, h = (first.facts.width, first.facts.height) if first.facts else (1280, 720)
    if not (w and h):
        w, h = 1280, 720
    if width is None and height is None:
        shrink = min(1.0, longest / max(w, h))
        width, height = round(w * shrink), round(h * shrink)
    elif width is None:
        width = round((height or h) * w / h)
    elif height is None:
        height = round(width * h / w)
    return max(int(width) // 2 * 2, 2), max(int(height or h) // 2 * 2, 2)


def waveform(options: Options, inputs: Inputs, form: Format) -> Plan:
    """Sound as a video: its waveform or spectrum, a picture, or both."""
    main, image = inputs.main[0], inputs.named.get("image")
    style = options.get("extra.style", "wave" if image is None else "none")
    if style == "none" and image is None:
        raise InvalidRequestError.at("options.extra.style", "'none' needs a picture, as the input named 'image'")
    piece = c.trim(options, main, wanted=options.get("video.duration"))
    length = c.length_of(piece, main)
    rate = c.number(float(options.get("video.frame_rate", 25)))
    asked_width, asked_height = c.sides(options, "video.frame")
    if image is not None:
        width, height = _canvas(image, asked_width, asked_height)
    else:
        width, height = asked_width or 1280, asked_height or 720
    sounds = c.sound(options, length, rate=main.facts.sample_rate if main.facts else 0) or "anull"
    background = options.get("extra.background", "#000000")
    if image is not None:
        how = options.get("extra.fit", "contain")
        ground = f"[1:v:0]{_still(width, height, how, rate)}[mc_ground]"
    else:
        ground = f"color=c={background}:s={width}x{height}:r={rate}[mc_ground]"
    after = c.chain(c.fades(options, length, audio=False), c.finish(form)) or "null"
    if style == "none":
        graph = f"{ground};[mc_ground]{after}[mc_out];[0:a:0]{sounds}[mc_sound]"
    else:
        high = height if image is None else max(height // 4 // 2 * 2, 2)
        drawing = _drawing(style, width, high, rate, options.get("extra.color", "#4cc9f0"))
        graph = (
            f"{ground};[0:a:0]{sounds},asplit[mc_sound][mc_drawn];[mc_drawn]{drawing}[mc_wave];"
            f"[mc_ground][mc_wave]overlay=0:H-h:shortest=1,{after}[mc_out]"
        )
    arguments = ["-filter_complex", graph, "-map", "[mc_out]", *c.video_codec(options, form)]
    arguments += ["-map", "[mc_sound]", *c.audio_codec(options, form)]
    arguments += ["-shortest"] if length is None else ["-t", c.number(length)]
    sources = [Source(main, piece.arguments), *([Source(image)] if image is not None else [])]
    return Plan(tuple(sources), tuple(arguments), form, length)


def _still(width: int, height: int, how: str, rate: str) -> str:
    # The first picture again and again, with times that count on; transparent parts over black.
    return (
        f"trim=end_frame=1,format=rgba,premultiply=inplace=1,{c.fit(width, height, how, even=True)},"
        f"format=yuv420p,loop=loop=-1:size=1,setpts=N/{rate}/TB,fps={rate}"
    )


def _drawing(style: str, width: int, height: int, rate: str, color: str) -> str:
    size = f"{width}x{height}"
    waves = {"wave": "cline", "line": "line", "points": "point"}
    if style in waves:
        return f"showwaves=s={size}:mode={waves[style]}:rate={rate}:colors={color}:draw=full"
    if style == "bars":
        return f"showfreqs=s={size}:mode=bar:rate={rate}:colors={color}:ascale=log"
    return f"showspectrum=s={size}:slide=scroll:color=intensity:fps={rate}"


Planner = Callable[[Options, Inputs, Format], Plan]

PLANNERS: Final[Mapping[str, Planner]] = {
    "convert": convert,
    "extract": convert,
    "frame": frame,
    "edit": edit,
    "animate": animate,
    "waveform": waveform,
}
"""By model."""
