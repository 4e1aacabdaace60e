"""The variants of fields seen in the wild, made one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from mediaconduit_broker.manifest.model import Conformance, Sample
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


def normalise_models(stated: Any) -> tuple[str, ...]:
    """Ids of the models that are listed one by one: a list of ids or of maps with one. A map says them of none."""
    entries = stated if isinstance(stated, list) else ()
    ids = (entry.get("id", "") if isinstance(entry, Mapping) else entry for entry in entries)
    return tuple(str(model_id) for model_id in ids if model_id)


def normalise_conformance(stated: Mapping[str, Any] | None) -> Conformance:
    """The section of that name; one that has been checked against the schema."""
    given = dict(stated or {})
    samples = {name: Sample(**sample) for name, sample in given.get("samples", {}).items()}
    made = {"upstream": normalise_command(given.get("upstream")), "samples": samples}
    return Conformance(**given | made | {"models": tuple(given.get("models", ()))})


def _requirement(name: str, version: Any) -> str:
    text = "" if version is None else str(version).strip()
    return name + (text if not text or text[0] in "<>=!~" else f"=={text}")
