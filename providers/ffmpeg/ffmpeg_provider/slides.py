"""Pictures one after the other. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ffmpeg_provider.commands import Media, Options, chain, fit, number

TRANSITIONS: Final = (
    "fade",
    "fadeblack",
    "fadewhite",
    "dissolve",
    "wipeleft",
    "wiperight",
    "wipeup",
    "wipedown",
    "slideleft",
    "slideright",
    "slideup",
    "slidedown",
    "circleopen",
    "circleclose",
    "radial",
    "pixelize",
)
MOTIONS: Final = ("static", "zoom", "pan")


def slides_graph(
    images: Sequence[Media], options: Options, *, size: tuple[int, int], each: float, overlap: float, after: str
) -> str:
    """Filters that show every input for `each` seconds, `overlap` of them shared with the next, up to ``[mc_out]``."""
    rate = float(options.get("video.frame_rate", 25))
    how = options.get("extra.fit", "contain")
    motion = options.get("video.camera_motion", "static")
    strength = float(options.get("video.motion_strength", 0.5))
    frames = max(math.ceil(each * rate - 1e-6), 1)  # what is too much is cut off at the end
    shot = _shot(size, how, motion, strength, frames, rate)
    shots = [f"[{i}:v:0]{shot}[mc_{i}]" for i in range(len(images))]
    return ";".join([*shots, *_joined(len(images), options, each=frames / rate, overlap=overlap, after=after)])


def _shot(size: tuple[int, int], how: str, motion: str, strength: float, frames: int, rate: float) -> str:
    width, height = size
    # Transparent parts are shown over black.
    flat = f"trim=end_frame=1,format=rgba,premultiply=inplace=1,{fit(width, height, how, even=True)},format=yuv420p"
    pace = f"setpts=N/({number(rate)}*TB)"
    if motion == "static":
        return f"{flat},loop=loop={frames - 1}:size=1,{pace},fps={number(rate)},settb=AVTB,trim=end_frame={frames}"
    # zoompan moves by whole pixels of its input: a larger one moves smoothly.
    zoom, steps = 1 + 0.4 * strength, max(frames - 1, 1)
    if motion == "zoom":
        path = f"z='1+{number(zoom - 1)}*on/{steps}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2'"
    else:
        path = f"z={number(max(zoom, 1.05))}:x='(iw-iw/zoom)*on/{steps}':y='(ih-ih/zoom)/2'"
    return (
        f"{flat},scale={width * 3}:{height * 3},zoompan={path}:d={frames}:s={width}x{height}:fps={number(rate)},"
        f"setsar=1,settb=AVTB,trim=end_frame={frames}"
    )


def _joined(count: int, options: Options, *, each: float, overlap: float, after: str) -> list[str]:
    end = chain("format=yuv420p", after)
    if not overlap:
        return ["".join(f"[mc_{i}]" for i in range(count)) + f"concat=n={count}:v=1,{end}[mc_out]"]
    transition = options.get("extra.transition", "fade")
    parts, last = [], "[mc_0]"
    for i in range(1, count):
        name = f"[mc_x{i}]" if i < count - 1 else "[mc_x]"
        offset = number(i * (each - overlap))
        parts.append(f"{last}[mc_{i}]xfade=transition={transition}:duration={number(overlap)}:offset={offset}{name}")
        last = name
    return [*parts, f"{last}{end}[mc_out]"]
