"""Arguments of the form ``key=value``, inputs and sources."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mediaconduit_broker.cli.failures import UsageError


def pairs(given: Iterable[str], what: str) -> list[tuple[str, str]]:
    """Splits ``key=value``. Raises `UsageError` naming the option."""
    split = []
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"{what} {item!r} is not of the form key=value")
        split.append((key, value))
    return split


def json_value(text: str) -> Any:
    """The value as JSON where it parses, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def settings(given: Iterable[str]) -> dict[str, Any]:
    """``--set key=value …`` as an object; dots make objects in it."""
    tree: dict[str, Any] = {}
    for key, value in pairs(given, "--set"):
        _plant(tree, key, json_value(value), "--set")
    return tree


def options(given: Iterable[str]) -> dict[str, Any]:
    """``-O text.temperature=0.2 …`` as keywords of a call. What is a string in the contract stays as written."""
    from mediaconduit.options import OPTION_NAMES, check_names

    tree: dict[str, Any] = {}
    for key, value in pairs(given, "-O"):
        _plant(tree, key, value if _is_string(key) else json_value(value), "-O")
    try:
        check_names(tree, OPTION_NAMES, what="option")
    except TypeError as error:
        raise UsageError(f"-O: {error}") from None
    return tree


def _plant(tree: dict[str, Any], key: str, value: Any, what: str) -> None:
    *path, last = key.split(".")
    for name in path:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise UsageError(f"{what} {key}: {name} is given a value of its own, too")
    if isinstance(tree.get(last), dict) or last == "":
        raise UsageError(f"{what} {key}: not a name, or given fields of its own, too")
    tree[last] = value


def _is_string(key: str) -> bool:
    from mediaconduit.v1.options_pb2 import TransformOptions

    *path, last = key.split(".")
    kind = TransformOptions.DESCRIPTOR
    for name in path:
        field = kind.fields_by_name.get(name)
        if field is None or field.message_type is None:
            return False
        kind = field.message_type
    leaf = kind.fields_by_name.get(last)
    return leaf is not None and leaf.type == leaf.TYPE_STRING and not leaf.is_repeated


def source(given: str) -> str:
    """A source as the broker is to see it: paths start from here, not from where the broker was started."""
    from mediaconduit_broker.sources import FolderSource, parse

    place = parse(given)
    here = isinstance(place, FolderSource) and not given.lower().startswith("file:")
    return str(Path(given).expanduser().absolute().resolve()) if here else given
