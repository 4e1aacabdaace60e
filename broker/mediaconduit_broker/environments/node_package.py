"""What package.json and package-lock.json of a repository ask for, as far as a build may give it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from mediaconduit_broker.environments.errors import cannot_plan, not_allowed
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.manifest.read import NAMES

OURS: Final = "@mediaconduit/"
"""Packages of ours: the broker brings them, and on no registry of the world are they to be looked for."""
ORIGINAL: Final = "@mediaconduit/mediaconduit"
"""What providers of the original import; a module of the Node host stands in for it."""
_REGISTRY: Final = ("https://registry.npmjs.org/", "https://registry.yarnpkg.com/")
_RANGE: Final = re.compile(r"(npm:(@[\w.-]+/)?[\w.-]+@?)?[\w.^~<>=|*+ -]*")
_PACKAGE: Final = re.compile(r"(?!(node|npm|docker|python)$)(@[a-z0-9._-]+/)?[a-z0-9._-]+")
_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json")
_KINDS: Final = ("dependencies", "optionalDependencies", "devDependencies")


@dataclass(frozen=True, slots=True)
class NodePackage:
    """What npm is to install."""

    manifest: Mapping[str, Any]
    """package.json for the environment: dependencies and what changes them, no scripts."""
    lock: Mapping[str, Any] | None
    """package-lock.json that fits it."""
    main: str = ""
    """`main` of the repository's package.json."""
    original: bool = False
    """Whether it asks for the original system."""
    described: Mapping[str, Any] = field(default_factory=dict)
    """The provider's manifest as it stands there, for originals: their adapter reads it."""

    @property
    def dependencies(self) -> tuple[str, ...]:
        """ "name range", in order of name."""
        stated = ((name, spec) for kind in _KINDS for name, spec in self.manifest.get(kind, {}).items())
        return tuple(sorted(f"{name} {spec}".strip() for name, spec in stated))

    @property
    def lock_hash(self) -> str:
        """Tells two locks apart; empty without one."""
        if self.lock is None:
            return ""
        return hashlib.sha256(json.dumps(self.lock, sort_keys=True).encode()).hexdigest()[:16]


def read_package(request: EnvironmentRequest) -> NodePackage:
    """What a repository's package.json asks for; nothing where it has none.

    Raises:
        PreconditionError: BUILD_FAILED, step "plan": it is no JSON, or wants what is not on a registry;
            SOURCE_NOT_TRUSTED: it takes packages from a place that is not allowed.
    """
    stated = _json(request.folder / "package.json") or {}
    dev = "dev" in request.groups
    lock = next((found for name in _LOCKS if (found := _json(request.folder / name)) is not None), None)
    described = _described(request.folder)
    names = {name for kind in (*_KINDS, "peerDependencies") for name in _mapping(stated, kind)}
    original = ORIGINAL in names
    if lock is not None:
        lock = _usable(lock, request)
    kinds = _KINDS if dev or lock is not None else _KINDS[:2]
    manifest: dict[str, Any] = {"name": "environment", "version": "0.0.0", "private": True}
    for kind in kinds:
        wanted = {name: str(spec) for name, spec in _mapping(stated, kind).items() if not name.startswith(OURS)}
        for name, spec in wanted.items():
            _check_range(name, spec, request)
        if kind == "dependencies":
            wanted = _of_manifest(described, stated) | wanted
        if wanted:
            manifest[kind] = wanted
    if overrides := _mapping(stated, "overrides"):
        manifest["overrides"] = overrides
    main = stated.get("main", "")
    return NodePackage(manifest, lock, main if isinstance(main, str) else "", original, described)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise cannot_plan(f"{path.name} is not JSON", hint="mend it, then load the provider again") from None
    if not isinstance(found, dict):
        raise cannot_plan(f"{path.name} is no object", hint="mend it, then load the provider again")
    return found


def _described(folder: Path) -> dict[str, Any]:
    """The manifest as data; it was read and judged before."""
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    data = yaml.safe_load(path.read_text(encoding="utf-8", errors="replace")) if path is not None else None
    # Dates become texts.
    return json.loads(json.dumps(data, default=str)) if isinstance(data, dict) else {}


def _of_manifest(described: Mapping[str, Any], package: Mapping[str, Any]) -> dict[str, str]:
    """Packages that only the manifest names: a map, or a list of maps with one key."""
    stated = described.get("dependencies")
    entries = [stated] if isinstance(stated, dict) else stated if isinstance(stated, list) else []
    found = {str(name): str(spec) for entry in entries if isinstance(entry, dict) for name, spec in entry.items()}
    known = {name for kind in (*_KINDS, "peerDependencies") for name in _mapping(package, kind)}
    return {
        name: spec
        for name, spec in found.items()
        if name not in known and _PACKAGE.fullmatch(name) and not name.startswith(OURS) and _RANGE.fullmatch(spec)
    }


def _mapping(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _check_range(name: str, spec: str, request: EnvironmentRequest) -> None:
    """Only what a registry holds: git, folders and URLs bring code that nobody has published under a version."""
    if _RANGE.fullmatch(spec):
        return
    if spec.startswith("https://"):
        _check_place(spec, f"package.json, dependency {name}", request)
        return
    raise cannot_plan(
        f"package.json: {name} is taken from {spec[:80]!r}, which is no version",
        hint="depend on a published version of it",
    )


def _usable(lock: dict[str, Any], request: EnvironmentRequest) -> dict[str, Any] | None:
    """The lock without our own packages; None for one that was made with the original, whose registry is gone."""
    packages = _mapping(lock, "packages")
    if not packages or any(path.endswith(f"node_modules/{ORIGINAL}") for path in packages):
        return None
    kept = {path: entry for path, entry in packages.items() if f"node_modules/{OURS}" not in path}
    root = dict(_mapping(kept, ""))
    for kind in (*_KINDS, "peerDependencies"):
        if kind in root:
            root[kind] = {name: spec for name, spec in _mapping(root, kind).items() if not name.startswith(OURS)}
    kept[""] = {**root, "name": "environment", "version": "0.0.0"}
    for url, path in _places(kept):
        _check_place(url, f"package-lock.json, {path}", request)
    return {**lock, "name": "environment", "version": "0.0.0", "packages": kept, "dependencies": {}}


def _places(packages: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, entry in packages.items():
        if not path or not isinstance(entry, dict):
            continue
        if entry.get("link"):
            yield "link", path
        elif resolved := entry.get("resolved"):
            yield str(resolved), path


def _check_place(url: str, where: str, request: EnvironmentRequest) -> None:
    if url.startswith(_REGISTRY) or (url.startswith("https://") and request.permissions.index(url)):
        return
    line = f'allow_indexes = ["{url[:120]}"]'
    raise not_allowed(
        f"{where}: takes a package from {url[:120]}, which is not allowed",
        hint=f"when you trust it: `{line}` in [providers.{request.provider_id}] of the config",
        source=url[:120],
        how_to_allow=line,
    )
