"""Reads a manifest: every mistake at once, each with its line."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml
from mediaconduit.errors import FieldViolation, NotFoundError, PreconditionError, Reason

from mediaconduit_broker.manifest.model import Manifest, Runtime
from mediaconduit_broker.manifest.normalise import (
    normalise_capabilities,
    normalise_command,
    normalise_conformance,
    normalise_dependencies,
    normalise_id,
    normalise_models,
)
from mediaconduit_broker.manifest.schema import SCHEMA

NAMES: Final = ("MediaConduit.provider.yml", "mediaconduit.provider.yml", "MediaConduit.provider.yaml")

_RESOLVER: Final = yaml.SafeLoader
_MODERN: Final = re.compile(r"^(runtime|entry)\s*:", re.M)
"""What no manifest of the original has."""
_PYTHON_ENTRY: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
Path_ = tuple[str | int, ...]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a repository.

    Raises:
        NotFoundError: The folder has none.
        PreconditionError: MANIFEST_INVALID with every mistake, ``field`` being "file:line".
    """
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    if _is_original(folder, text):
        return _taken_over(folder)
    if path is None:
        raise NotFoundError(
            f"{folder.name} is no provider: it has no {NAMES[0]}",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="`mediaconduit new NAME` makes a folder to start from",
        )
    return parse_manifest(text, path.name)


def _is_original(folder: Path, text: str) -> bool:
    """Whether a repository was written for the original system, which was in TypeScript alone and named no runtime."""
    package = folder / "package.json"
    if _MODERN.search(text) or not package.is_file() or (folder / "pyproject.toml").is_file():
        return False
    has_manifest = any((folder / name).is_file() for name in NAMES)
    return has_manifest or "@mediaconduit/mediaconduit" in package.read_text(encoding="utf-8", errors="replace")


def _taken_over(folder: Path) -> Manifest:
    """The manifest that `mediaconduit migrate` would write."""
    # Imported when it is needed: it builds on what is here.
    from mediaconduit_broker.migration import read_repository, render

    repository = read_repository(folder)
    if repository.is_service:
        raise NotFoundError(
            f"{folder.name} is a Docker service, no provider",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="start it with its compose file, and load the provider that uses it with the setting service_url",
        )
    made = parse_manifest(render(repository))
    warning = "written for the original MediaConduit: `mediaconduit migrate` shows how it is taken"
    return dataclasses.replace(made, warnings=(warning, *made.warnings))


def parse_manifest(text: str, file_name: str = NAMES[0]) -> Manifest:
    """As `read_manifest`, from the file's text."""
    try:
        node = yaml.compose(text, Loader=_RESOLVER)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(file_name, [(line, f"not YAML: {error.problem}")]) from None
    if not isinstance(data, dict) or node is None:
        raise _invalid(file_name, [(1, "empty; it must at least have `id`, `runtime` and `entry`")])
    lines = dict(_lines(node))
    mistakes = [*_schema_mistakes(data, lines), *_runtime_mistakes(data, lines), *_variable_mistakes(data, lines)]
    if mistakes:
        raise _invalid(file_name, sorted(mistakes))
    return _build(data, tuple(_unknown_keys(data, lines, file_name)))


def _build(data: Mapping[str, Any], warnings: tuple[str, ...]) -> Manifest:
    stated = data.get("capabilities") or ([data["capability"]] if "capability" in data else [])
    capabilities, tags, odd = normalise_capabilities(stated)
    provider_id, odd_id = normalise_id(data["id"])
    return Manifest(
        id=provider_id,
        name=data.get("name") or data["id"],
        version=str(data.get("version", "0.0.0")),
        runtime=Runtime(data.get("runtime", "python")),
        entry=data.get("entry", ""),
        description=data.get("description", ""),
        license=data.get("license", ""),
        capabilities=capabilities,
        tags=(*data.get("tags", ()), *tags),
        dependencies=normalise_dependencies(data.get("dependencies")),
        build=tuple(normalise_command(command) for command in data.get("build") or ()),
        command=normalise_command(data.get("command")),
        environment=tuple(data.get("environment") or ()),
        network=data.get("network", False),
        secrets=tuple(data.get("secrets") or ()),
        start_timeout=data.get("start_timeout"),
        models=normalise_models(data.get("models")),
        conformance=normalise_conformance(data.get("conformance")),
        warnings=(*warnings, *odd_id, *odd),
    )


def _schema_mistakes(data: Any, lines: Mapping[Path_, int]) -> Iterator[tuple[int, str]]:
    for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(data):
        path: Path_ = tuple(error.instance_path)
        where = ".".join(map(str, path))
        yield _line(path, lines), f"{where}: {error.message}" if where else error.message


def _runtime_mistakes(data: Mapping[str, Any], lines: Mapping[Path_, int]) -> Iterator[tuple[int, str]]:
    runtime = data.get("runtime", "python")
    if runtime == "python" and "entry" not in data:
        yield _line(("runtime",), lines), 'entry: missing; runtime python needs the provider class as "module:Class"'
    if runtime == "python" and isinstance(data.get("entry"), str) and not _PYTHON_ENTRY.fullmatch(data["entry"]):
        yield _line(("entry",), lines), f'entry: {data["entry"]!r} is not the provider class as "module:Class"'
    if runtime == "exec" and "command" not in data:
        yield _line(("runtime",), lines), "command: missing; runtime exec needs what starts the provider"
    build = data.get("build")
    commands: list[tuple[Path_, Any]] = [(("command",), data.get("command"))]
    if isinstance(data.get("conformance"), dict):
        commands.append((("conformance", "upstream"), data["conformance"].get("upstream")))
    commands += [
        (("build", number), command) for number, command in enumerate(build if isinstance(build, list) else ())
    ]
    for path, command in commands:
        if isinstance(command, str) and command and (why := _no_command(command)):
            yield _line(path, lines), f"{'.'.join(map(str, path))}: {why}"


def _variable_mistakes(data: Mapping[str, Any], lines: Mapping[Path_, int]) -> Iterator[tuple[int, str]]:
    for key in ("environment", "secrets"):
        names = data.get(key)
        for number, name in enumerate(names if isinstance(names, list) else ()):
            if str(name).startswith("MEDIACONDUIT_"):
                yield _line((key, number), lines), f"{key}.{number}: {name} is the broker's own"


def _no_command(text: str) -> str:
    try:
        return "" if normalise_command(text) else "empty"
    except ValueError as error:
        return str(error).lower()


def _unknown_keys(data: Mapping[str, Any], lines: Mapping[Path_, int], file_name: str) -> Iterator[str]:
    known: Sequence[str] = list(SCHEMA["properties"])
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            yield f"{file_name}:{_line((str(key),), lines)}: unknown key `{key}` is ignored{meant}"


def _lines(node: yaml.Node, path: Path_ = ()) -> Iterator[tuple[Path_, int]]:
    """Line of every value, by its path. A mapping's entry counts from its key."""
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            entry = (*path, str(key.value))
            yield from _lines(value, entry)
            yield entry, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, index))


def _line(path: Path_, lines: Mapping[Path_, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _invalid(file_name: str, mistakes: Sequence[tuple[int, str]]) -> PreconditionError:
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return PreconditionError(
        f"{file_name} has {count}",
        reason=Reason.MANIFEST_INVALID,
        fields=[FieldViolation(f"{file_name}:{line}", text) for line, text in mistakes],
        hint="mend them and load the provider again; docs/manifest.md lists all keys",
    )
