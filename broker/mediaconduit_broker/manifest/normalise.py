"""The variants of fields seen in the wild, made one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from mediaconduit_broker.manifest.schema import CAPABILITIES


def normalise_id(stated: str) -> tuple[str, list[str]]:
    """A provider id in lower-case letters, digits and '-', and a warning when it had to be changed."""
    made = re.sub(r"[^a-z0-9]+", "-", stated.lower()).strip("-")
    return made, [] if made == stated else [f"id `{stated}` is used as `{made}`"]


def normalise_capabilities(stated: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Capabilities of ours, what is none (kept as tags), and warnings about the latter.

    "TEXT_TO_TEXT", "TextToText" and "text-to-text" are the same.
    """
    capabilities: list[str] = []
    tags: list[str] = []
    for word in stated:
        kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", word).replace("_", "-").lower()
        (capabilities if kebab in CAPABILITIES else tags).append(kebab)
    warnings = [f"`{tag}` is no capability and is kept as a tag" for tag in tags]
    return tuple(dict.fromkeys(capabilities)), tuple(dict.fromkeys(tags)), warnings


def normalise_dependencies(stated: Any) -> tuple[str, ...]:
    """Requirements from a list of strings, a map of name to version, or a list of one-key maps."""
    if not stated:
        return ()
    if isinstance(stated, Mapping):
        return tuple(_requirement(name, version) for name, version in stated.items())
    found: list[str] = []
    for entry in stated:
        if isinstance(entry, Mapping):
            found += [_requirement(name, version) for name, version in entry.items()]
        else:
            found.append(str(entry))
    return tuple(found)


def normalise_command(stated: Any) -> tuple[str, ...]:
    """A program and its arguments, from a list of them or from a line. No shell ever sees it.

    Raises:
        ValueError: A quotation mark in the line is not closed.
    """
    if isinstance(stated, str):
        return tuple(shlex.split(stated))
    return tuple(str(part) for part in stated or ())


def _requirement(name: str, version: Any) -> str:
    text = "" if version is None else str(version).strip()
    return name + (text if not text or text[0] in "<>=!~" else f"=={text}")
