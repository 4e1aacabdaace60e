"""What stands in a repository of the original: its manifest in any variant, its package, its code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from mediaconduit.errors import NotFoundError, PreconditionError, Reason

from mediaconduit_broker.migration.scan import Code, scan

PROVIDER_NAMES: Final = ("MediaConduit.provider.yml", "mediaconduit.provider.yml", "MediaConduit.provider.yaml")
SERVICE_NAMES: Final = ("MediaConduit.service.yml", "mediaconduit.service.yml", "prizm.service.yml")
_COMPOSE: Final = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
_ENTRIES: Final = ("src/index.ts", "index.ts", "src/index.js", "index.js")
_SOURCES: Final = (".ts", ".tsx", ".mts", ".js", ".mjs", ".json")
_IGNORED: Final = frozenset({"node_modules", "dist", ".git", "coverage", "__tests__", "test", "tests"})
_LARGEST_FILE: Final = 1024 * 1024
_MOST_FILES: Final = 2000
_BEGINNING: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What was read. Nothing of it was run."""

    name: str
    """Of its folder."""
    manifest_file: str = ""
    """Name of its manifest; empty when it has none."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """As it stands there."""
    is_service: bool = False
    """The manifest is that of a Docker service."""
    package: Mapping[str, Any] = field(default_factory=dict)
    """package.json."""
    locks: tuple[str, ...] = ()
    """Names of lock files."""
    compose_file: str = ""
    license_file: str = ""
    license_text: str = ""
    """How that begins."""
    entry: str = ""
    """The file that exports the provider; empty when there is none."""
    code: Code = field(default_factory=Code)


def read_repository(folder: Path, name: str = "") -> Repository:
    """Reads a folder.

    Raises:
        NotFoundError: There is neither a manifest nor a package.json in it.
        PreconditionError: One of them cannot be read.
    """
    manifest_file = next((known for known in (*PROVIDER_NAMES, *SERVICE_NAMES) if (folder / known).is_file()), "")
    package = _package(folder / "package.json")
    if not manifest_file and not package:
        raise NotFoundError(
            f"{name or folder.name} is no provider of the original: it has neither a manifest nor a package.json",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="name the root of its repository; `mediaconduit new NAME` begins a provider anew",
        )
    manifest = _manifest(folder / manifest_file) if manifest_file else {}
    files = _texts(folder)
    license_file = next((path.name for path in sorted(folder.glob("[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*"))), "")
    entry = next((path for path in (str(manifest.get("main") or ""), *_ENTRIES) if path in files), "")
    return Repository(
        name=name or folder.resolve().name,
        manifest_file=manifest_file,
        manifest=manifest,
        is_service=manifest_file in SERVICE_NAMES,
        package=package,
        locks=tuple(lock for lock in _LOCKS if (folder / lock).is_file()),
        compose_file=next((compose for compose in _COMPOSE if (folder / compose).is_file()), ""),
        license_file=license_file,
        license_text=(folder / license_file).read_text("utf-8", "replace")[:_BEGINNING] if license_file else "",
        entry=entry,
        code=scan(files, entry),
    )


def _manifest(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8", errors="replace"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise PreconditionError(
            f"{where} is not YAML", reason=Reason.MANIFEST_INVALID, hint="mend it and migrate again"
        ) from None
    return data if isinstance(data, dict) else {}


def _package(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError):
        raise PreconditionError(
            "package.json cannot be read", reason=Reason.MANIFEST_INVALID, hint="mend it and migrate again"
        ) from None
    return data if isinstance(data, dict) else {}


def _texts(folder: Path) -> dict[str, str]:
    """Texts of its sources by path, without what is built, installed or tested."""
    found: dict[str, str] = {}
    waiting = [folder]
    while waiting and len(found) < _MOST_FILES:
        for path in sorted(waiting.pop().iterdir()):
            if path.is_symlink() or path.name in _IGNORED:
                continue
            if path.is_dir():
                waiting.append(path)
            elif path.suffix in _SOURCES and path.stat().st_size <= _LARGEST_FILE:
                found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return found
