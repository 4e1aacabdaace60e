"""requirements.txt, read without pip: what it may say is a closed list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from mediaconduit_broker.environments.errors import cannot_plan
from mediaconduit_broker.environments.requirements import Repository, Requirements

_HASHES: Final = re.compile(r"\s+--hash[= ]\s*\S+")
_OPTION: Final = re.compile(r"^(-\w|--[\w-]+)[= ]?\s*(.*)$")
_HARMLESS: Final = frozenset({"--prefer-binary", "--only-binary", "--require-hashes", "--use-pep517"})
"""Options that ask for what is done anyway, or whose absence installs the same."""


@dataclass(slots=True)
class _Found:
    lines: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)


def read_requirements_txt(repository: Repository, name: str = "requirements.txt") -> Requirements | None:
    """What the file and those it includes say; None when there is none.

    Raises:
        PreconditionError: It says what cannot be, or what is not allowed.
    """
    if repository.file(name) is None:
        return None
    found = _Found()
    _read(repository, name, found, found.lines)
    return Requirements(
        lines=tuple(sorted(found.lines)),
        constraints=tuple(sorted(found.constraints)),
        indexes=tuple(dict.fromkeys(found.indexes)),
        find_links=tuple(dict.fromkeys(found.find_links)),
    )


def _read(repository: Repository, name: str, found: _Found, into: list[str]) -> None:
    path = repository.file(name)
    if path is None:
        raise cannot_plan(f"there is no {name}, which requirements.txt includes", hint="add it, or drop the line")
    if name in found.read:
        return
    found.read.add(name)
    for line in _logical_lines(path):
        if option := _OPTION.match(line):
            _take_option(repository, name, found, into, option[1], option[2].strip())
        else:
            hashes = "".join(f" {match.strip()}" for match in _HASHES.findall(line))
            requirement = repository.requirement(_HASHES.sub("", line).strip(), name)
            into.append(str(requirement) + hashes)


def _take_option(repository: Repository, name: str, found: _Found, into: list[str], option: str, value: str) -> None:
    match option:
        case "-r" | "--requirement" | "--requirements":
            _read(repository, _beside(name, value), found, into)
        case "-c" | "--constraint" | "--constraints":
            _read(repository, _beside(name, value), found, found.constraints)
        case "-i" | "--index-url" | "--extra-index-url":
            found.indexes.append(repository.allow_index(value, name))
        case "-f" | "--find-links":
            found.find_links.append(repository.allow_index(value, name))
        case "-e" | "--editable":
            raise cannot_plan(
                f"{name}: -e builds from source, which runs its author's code",
                hint="name a version that has a wheel; the provider's own modules are found without being installed",
            )
        case _ if option not in _HARMLESS:
            raise cannot_plan(f"{name}: the option {option} is not supported", hint="drop the line and load again")


def _beside(name: str, included: str) -> str:
    """A file that another names, as a path in the repository."""
    path = PurePosixPath(name).parent / included
    if path.is_absolute() or ".." in path.parts:
        raise cannot_plan(f"{name}: {included} leads out of the repository", hint="put it into the repository")
    return str(path)


def _logical_lines(path: Path) -> Iterator[str]:
    """Lines without comments, those that end in a backslash joined with the next."""
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for line in text.splitlines():
        if stripped := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield stripped
