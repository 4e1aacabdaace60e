"""A picture or video laid over another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit_provider import InvalidRequestError

from ffmpeg_provider.commands import Media, Options, chain, number, sides

POSITIONS: Final = (
    "top-left",
    "top",
    "top-right",
    "left",
    "center",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
)
BLENDS: Final = (
    "normal",
    "addition",
    "burn",
    "darken",
    "difference",
    "dodge",
    "exclusion",
    "hardlight",
    "lighten",
    "multiply",
    "overlay",
    "screen",
    "softlight",
    "subtract",
)


def overlay_graph(
    how: Mapping[str, Any], main: Media, overlay: Media, options: Options, *, before: str, after: str
) -> str:
    """Filters that lay input 1 over input 0 and end in ``[mc_out]``.

    Args:
        how: `extra.overlay`: position, x, y, width, opacity, blend, start, end, fade_in, fade_out.
        main: Input 0, probed.
        overlay: Input 1, probed.
        options: For the size of the output.
        before: What is done to the main picture first.
        after: What is done to the whole.
    """
    base_width, base_height = _base_size(main, options)
    width, height = _size(how, overlay, base_width, base_height)
    x, y = _place(how, base_width - width, base_height - height)
    top = chain(
        f"scale={width}:{height}",
        "format=rgba",
        f"colorchannelmixer=aa={number(how['opacity'])}" if how.get("opacity") is not None else "",
        _timing(how, overlay),
    )
    # A picture is repeated for ever and ends with the video; a video that ends first just disappears.
    end = "shortest=1" if overlay.still else "eof_action=pass"
    shown = _shown(how)
    base = f"[0:v:0]{before or 'null'}"
    done = f",{after}" if after else ""
    blend = how.get("blend", "normal")
    if blend == "normal":
        return f"{base}[mc_base];[1:v:0]{top}[mc_top];[mc_base][mc_top]overlay={x}:{y}:{end}{shown}{done}[mc_out]"
    # Blends mix colours only, where the overlay lies, and its transparency is put back afterwards.
    return (
        f"{base},split[mc_base][mc_under];[mc_under]crop={width}:{height}:{x}:{y},format=gbrp[mc_below];"
        f"[1:v:0]{top},split[mc_top][mc_shape];[mc_top]format=gbrp[mc_color];[mc_shape]alphaextract[mc_alpha];"
        f"[mc_below][mc_color]blend=all_mode={blend}:{end}[mc_mixed];"
        f"[mc_mixed][mc_alpha]alphamerge[mc_patch];[mc_base][mc_patch]overlay={x}:{y}:{end}{shown}{done}[mc_out]"
    )


def _base_size(main: Media, options: Options) -> tuple[int, int]:
    facts = main.facts
    if facts is None or not (facts.width and facts.height):
        raise InvalidRequestError.at(main.field, "the size of this video is not known, so nothing can be laid over it")
    width, height = sides(options, "video.frame")
    if width and height:
        return width, height
    if width:
        return width, round(width * facts.height / facts.width / 2) * 2
    if height:
        return round(height * facts.width / facts.height / 2) * 2, height
    return max(facts.width // 2 * 2, 2), max(facts.height // 2 * 2, 2)


def _size(how: Mapping[str, Any], overlay: Media, base_width: int, base_height: int) -> tuple[int, int]:
    """Its own size or the share of the width asked for, never larger than what is below."""
    facts = overlay.facts
    own_width, own_height = (facts.width, facts.height) if facts else (0, 0)
    if not (own_width and own_height):
        raise InvalidRequestError.at(overlay.field, "the size of the overlay is not known")
    share = how.get("width")
    scale = float(share) * base_width / own_width if share else 1.0
    scale = min(scale, base_width / own_width, base_height / own_height)
    return max(int(own_width * scale) // 2 * 2, 2), max(int(own_height * scale) // 2 * 2, 2)


def _place(how: Mapping[str, Any], free_x: int, free_y: int) -> tuple[int, int]:
    """Pixels from the left and the top: the position, or x and y as shares of the free space."""
    position = how.get("position", "bottom-right")
    x = 0.0 if "left" in position else 1.0 if "right" in position else 0.5
    y = 0.0 if "top" in position else 1.0 if "bottom" in position else 0.5
    x, y = float(how.get("x", x)), float(how.get("y", y))
    return max(round(free_x * x), 0), max(round(free_y * y), 0)


def _timing(how: Mapping[str, Any], overlay: Media) -> str:
    """Starts the overlay at its time and fades its opacity."""
    start, end = float(how.get("start", 0.0)), how.get("end")
    if end is not None and end <= start:
        raise InvalidRequestError.at("options.extra.overlay.end", f"must be more than start ({number(start)} s)")
    parts = []
    if overlay.still:
        parts.append("loop=loop=-1:size=1,setpts=N/25/TB,fps=25")
    elif start:
        parts.append(f"setpts=PTS+{number(start)}/TB")
    if fade_in := how.get("fade_in"):
        parts.append(f"fade=t=in:st={number(start)}:d={number(fade_in)}:alpha=1")
    if fade_out := how.get("fade_out"):
        last = end
        if last is None and not overlay.still and overlay.facts and overlay.facts.duration:
            last = start + overlay.facts.duration
        if last is None:
            raise InvalidRequestError.at("options.extra.overlay.fade_out", "needs extra.overlay.end")
        parts.append(f"fade=t=out:st={number(max(last - fade_out, 0.0))}:d={number(fade_out)}:alpha=1")
    return ",".join(parts)


def _shown(how: Mapping[str, Any]) -> str:
    start, end = float(how.get("start", 0.0)), how.get("end")
    if end is not None:
        return f":enable='between(t,{number(start)},{number(end)})'"
    return f":enable='gte(t,{number(start)})'" if start else ""
