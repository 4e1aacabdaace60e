"""Compares IANA media types, with their parameters."""

from __future__ import annotations


def base_of(media_type: str) -> str:
    """Type and subtype, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def parameters_of(media_type: str) -> dict[str, str]:
    """Parameters by their names in lower case."""
    pairs = (piece.partition("=") for piece in media_type.split(";")[1:])
    return {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs if name.strip()}


def matches(pattern: str, media_type: str) -> bool:
    """Whether a media type fits a pattern ("audio/*", "audio/L16; rate=24000").

    A parameter counts only where both name it.
    """
    wanted, given = base_of(pattern), base_of(media_type)
    if wanted not in ("*", "*/*", given) and not (wanted.endswith("/*") and given.startswith(wanted[:-1])):
        return False
    have = parameters_of(media_type) if ";" in media_type else {}
    return not have or all(have.get(name, value) == value for name, value in parameters_of(pattern).items())


def is_text(media_type: str) -> bool:
    """Whether content of that type is text to us: "text/*" and JSON."""
    base = base_of(media_type)
    return base.startswith("text/") or base == "application/json" or base.endswith("+json")
