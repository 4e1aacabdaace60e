"""What a Python repository needs, read from its files. Nothing in it is run, and nothing outside it is read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mediaconduit_broker.environments.errors import cannot_plan, not_allowed
from mediaconduit_broker.environments.request import Permissions

HOST: Final = frozenset({"mediaconduit", "mediaconduit-provider"})
"""Distributions the broker puts into every environment."""
OURS: Final = HOST | {"mediaconduit-vendors"}
"""Distributions the broker supplies, whatever the repository says about where they come from."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What to install, in pip's notation."""

    lines: tuple[str, ...] = ()
    """Requirements, each with its hashes where it has some."""
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    """Package indexes of the repository's own; all are allowed."""
    find_links: tuple[str, ...] = ()
    """The same for pages of links."""
    python: str = ""
    """requires-python."""
    lock: Path | None = field(default=None, compare=False)
    """The uv.lock that `lines` were read from: what it pins is installed exactly."""
    locked: frozenset[str] = frozenset()
    """Those of `OURS` that the uv.lock names."""

    @property
    def ours(self) -> frozenset[str]:
        """Those of `OURS` that belong into the environment."""
        names = {canonicalize_name(Requirement(line.split(" --hash")[0]).name) for line in self.lines if not self.lock}
        return HOST | self.locked | (OURS & names)


class Repository:
    """A repository's files, none of which may lead out of it.

    Args:
        folder: Its root.
        permissions: What its files may ask for.
    """

    def __init__(self, folder: Path, permissions: Permissions) -> None:
        self.folder = folder
        self.permissions = permissions

    def file(self, name: str) -> Path | None:
        """A file of it; None when there is none.

        Raises:
            PreconditionError: It is a link that leads out of the repository.
        """
        path = self.folder / name
        if not path.is_file():
            return None
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise cannot_plan(f"{name} leads out of the repository", hint="put the file itself where the link is")
        return path

    def toml(self, name: str) -> dict[str, Any] | None:
        """The content of a TOML file; None when there is none."""
        path = self.file(name)
        if path is None:
            return None
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise cannot_plan(f"{name} is not valid TOML: {error}", hint="mend it and load again") from None

    def allow_index(self, url: str, where: str) -> str:
        """The URL, when its files may send the installer there.

        Raises:
            PreconditionError: SOURCE_NOT_TRUSTED with the line to add.
        """
        if not self.permissions.index(url):
            line = f'allow_indexes = ["{_shown(url)}"]'
            raise not_allowed(
                f"{where} takes packages from {_shown(url)}, which is not allowed",
                hint=f"when you trust it, add `{line}` to [providers.NAME] of the config",
                source=_shown(url),
                how_to_allow=line,
            )
        return url

    def requirement(self, text: str, where: str) -> Requirement:
        """A requirement, understood.

        Raises:
            PreconditionError: It is none, or it names a place that is not allowed.
        """
        try:
            found = Requirement(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            raise cannot_plan(f"{where}: {text!r} is no requirement: {reason}", hint="mend it and load again") from None
        if found.url is not None:
            if canonicalize_name(found.name) in OURS:
                found.url = None
            elif found.url.startswith(("git+", "hg+", "svn+", "bzr+")):
                raise built_from_source(found.name, where)
            else:
                self.allow_index(found.url, where)
        return found

    def requirements(self, texts: Iterable[Any], where: str) -> list[str]:
        """Requirements, normalised."""
        return [str(self.requirement(str(text), where)) for text in texts]


def built_from_source(name: str, where: str) -> Exception:
    """A requirement that only its author's code could turn into something to install."""
    return cannot_plan(
        f"{where}: {name} would be built from source, which runs its author's code",
        hint="name a version that has a wheel",
    )


def read_pyproject(repository: Repository, data: Mapping[str, Any], groups: Sequence[str]) -> tuple[Requirements, bool]:
    """What pyproject.toml says, and whether it says what the provider needs at all."""
    project = data.get("project", {})
    where = "pyproject.toml"
    settings = data.get("tool", {}).get("uv", {})
    check_sources(repository, settings.get("sources", {}))
    stated = project.get("dependencies")
    lines = repository.requirements(stated or (), where)
    for group in groups:
        lines += repository.requirements(_group(data.get("dependency-groups", {}), group, ()), where)
    own = canonicalize_name(str(project.get("name", "")))
    if any(canonicalize_name(Requirement(line).name) == own for line in lines):
        raise cannot_plan(f"{where}: the project requires itself", hint="name what its extra holds instead")
    indexes, find_links = read_indexes(repository, data)
    return Requirements(
        lines=tuple(sorted(lines)),
        constraints=tuple(repository.requirements(settings.get("constraint-dependencies", ()), where)),
        overrides=tuple(repository.requirements(settings.get("override-dependencies", ()), where)),
        indexes=indexes,
        find_links=find_links,
        python=str(project.get("requires-python", "")),
    ), stated is not None


def refuse_unreadable(data: Mapping[str, Any]) -> None:
    """Refuses a pyproject.toml whose dependencies only a tool of its own could tell."""
    if "dependencies" in data.get("project", {}).get("dynamic", ()):
        raise cannot_plan(
            "pyproject.toml leaves its dependencies to its build backend, which is not run",
            hint="state them in [project] dependencies or in requirements.txt",
        )
    if "dependencies" in data.get("tool", {}).get("poetry", {}) and "project" not in data:
        raise cannot_plan(
            "pyproject.toml states its dependencies in [tool.poetry], which is not read",
            hint="state them in [project] dependencies or in requirements.txt",
        )


def _group(groups: Mapping[str, Any], name: str, within: tuple[str, ...]) -> list[str]:
    """The requirements of a dependency group, with those of groups it includes."""
    if name in within:
        raise cannot_plan(f"pyproject.toml: dependency group {name} includes itself", hint="mend it and load again")
    found: list[str] = []
    for entry in groups.get(name, ()):
        if isinstance(entry, Mapping):
            found += _group(groups, str(entry.get("include-group", "")), (*within, name))
        else:
            found.append(str(entry))
    return found


def read_indexes(repository: Repository, data: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Package indexes and pages of links that pyproject.toml names.

    Raises:
        PreconditionError: SOURCE_NOT_TRUSTED: one of them is not allowed.
    """
    tools = data.get("tool", {})
    uv = tools.get("uv", {})
    indexes: list[str] = [str(entry.get("url", "")) for entry in uv.get("index", ())]
    find_links: list[str] = []
    for settings in (uv, uv.get("pip", {})):
        indexes += [*_texts(settings.get("index-url")), *_texts(settings.get("extra-index-url"))]
        find_links += _texts(settings.get("find-links"))
    for other in ("poetry", "pdm"):
        indexes += [str(entry.get("url", "")) for entry in tools.get(other, {}).get("source", ())]
    for url in (*indexes, *find_links):
        repository.allow_index(url, "pyproject.toml")
    return tuple(dict.fromkeys(indexes)), tuple(dict.fromkeys(find_links))


def check_sources(repository: Repository, sources: Mapping[str, Any]) -> None:
    """Refuses packages that [tool.uv.sources] takes from elsewhere: under their names the registry may have others."""
    for name, stated in sources.items():
        if canonicalize_name(name) in OURS:
            continue
        for source in stated if isinstance(stated, list) else [stated]:
            where = f"pyproject.toml, [tool.uv.sources] {name}"
            if "url" in source:
                repository.allow_index(str(source["url"]), where)
            if {"git", "path", "workspace"} & set(source):
                raise built_from_source(name, where)


def _texts(stated: Any) -> list[str]:
    return [] if stated is None else [str(entry) for entry in stated] if isinstance(stated, list) else [str(stated)]


def _shown(url: str) -> str:
    """A URL without a user's name or password."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    host, slash, path = rest.partition("/")
    return scheme + separator + host.rpartition("@")[2] + slash + path
