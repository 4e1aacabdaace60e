"""uv.lock: what it pins, from where, and whether it still fits pyproject.toml."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mediaconduit_broker.environments.errors import cannot_plan
from mediaconduit_broker.environments.requirements import OURS, Repository, Requirements, built_from_source

_PYPI: Final = "https://pypi.org/simple"
_Pins = set[tuple[str, SpecifierSet]]


def read_lock(repository: Repository, pyproject: Mapping[str, Any]) -> Requirements | None:
    """What uv.lock pins, as lines that tell two locks apart; None when there is none.

    The lines serve keys and comparisons; what is installed is what ``uv export`` makes of the lock.

    Raises:
        PreconditionError: It is no lock, older than pyproject.toml, or takes packages from where they may not come.
    """
    data = repository.toml("uv.lock")
    if data is None:
        return None
    packages = [package for package in data.get("package", ()) if isinstance(package, dict)]
    lines: list[str] = []
    indexes: list[str] = []
    for package in packages:
        name, source = str(package.get("name", "")), package.get("source", {})
        if _is_root(source):
            _check_fresh(package, pyproject)
        elif canonicalize_name(name) not in OURS:
            indexes += _index(repository, name, source)
            lines.append(f"{name}=={package.get('version', '')} {_hashes(package)}")
    return Requirements(
        lines=tuple(sorted(lines)),
        indexes=tuple(dict.fromkeys(indexes)),
        python=str(pyproject.get("project", {}).get("requires-python", "") or data.get("requires-python", "")),
        lock=repository.file("uv.lock"),
        locked=OURS & {canonicalize_name(str(package.get("name", ""))) for package in packages},
    )


def _is_root(source: Mapping[str, Any]) -> bool:
    return any(source.get(kind) == "." for kind in ("virtual", "editable", "directory"))


def _index(repository: Repository, name: str, source: Mapping[str, Any]) -> list[str]:
    """The index a package comes from, unless that is everybody's."""
    where = f"uv.lock, package {name}"
    if (registry := source.get("registry")) is not None:
        if str(registry).rstrip("/") == _PYPI:
            return []
        return [repository.allow_index(str(registry), where)]
    if (url := source.get("url")) is not None:
        repository.allow_index(str(url), where)
        return []
    raise built_from_source(name, where)


def _hashes(package: Mapping[str, Any]) -> str:
    """A hash over those of its wheels: a lock that pins the same version to other files is another lock."""
    hashes = sorted(str(wheel.get("hash", "")) for wheel in package.get("wheels", ()))
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:12]


def _check_fresh(root: Mapping[str, Any], pyproject: Mapping[str, Any]) -> None:
    """Refuses a lock made from other requirements than pyproject.toml states now."""
    stated = pyproject.get("project", {}).get("dependencies", ())
    locked: _Pins = {
        (canonicalize_name(str(entry.get("name", ""))), SpecifierSet(str(entry.get("specifier", ""))))
        for entry in root.get("metadata", {}).get("requires-dist", ())
        if "extra ==" not in str(entry.get("marker", ""))
    }
    if locked != _pins(stated):
        raise cannot_plan(
            "uv.lock does not fit pyproject.toml: its dependencies have changed since",
            hint="run `uv lock` in the repository and commit the result",
        )


def _pins(stated: Iterable[Any]) -> _Pins:
    found: _Pins = set()
    for text in stated:
        requirement = Requirement(str(text))
        found.add((canonicalize_name(requirement.name), requirement.specifier))
    return found
