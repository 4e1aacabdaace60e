"""``mediaconduit.lock``: what every provider was resolved to. Made to be read in a diff."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from mediaconduit.errors import PreconditionError, Reason

NAME: Final = "mediaconduit.lock"
_VERSION: Final = 1
_HEAD: Final = """\
# What every provider was resolved to. Made by `mediaconduit lock`; not meant to be edited, meant to be reviewed.
# `mediaconduit lock --check` compares it with the sources, `mediaconduit up --frozen` runs nothing else.
"""
_FIELDS: Final = ("id", "source", "resolved", "ref", "commit", "tree", "manifest", "environment")

Packages = Mapping[str, tuple[str, ...]]
"""Hashes of the files by requirement: "grpcio==1.85.1", "colorama==0.4.6 ; sys_platform == 'win32'"."""


class Locked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider of a lock."""

    id: str
    """The name it is loaded under."""
    source: str
    """As people write it, with a branch or tag; folders as the configuration names them."""
    resolved: str
    """The one version of it."""
    ref: str = ""
    """Git: the branch or tag it was found by, "refs/tags/v1"."""
    commit: str = ""
    """Git: the commit."""
    tree: str
    """Hash of its files: git's own, else "sha256:…"."""
    manifest: str
    """Hash of its manifest, "sha256:…"."""
    environment: str = ""
    """Hash of `packages`, "sha256:…"; empty where its manifest says all about its environment."""
    packages: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """What its environment may hold on any platform, with the hashes of the files."""


class Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of the file."""

    version: int
    provider: tuple[Locked, ...] = ()
    """In order of id."""

    def get(self, provider_id: str) -> Locked | None:
        """A provider's entry."""
        return next((locked for locked in self.provider if locked.id == provider_id), None)

    def of_source(self, source: str) -> tuple[Locked, ...]:
        """Entries of a source as it is written."""
        return tuple(locked for locked in self.provider if locked.source == source)


def lock_of(entries: Iterable[Locked]) -> Lock:
    """A lock of these, in its order."""
    return Lock(version=_VERSION, provider=tuple(sorted(entries, key=lambda locked: locked.id)))


def packages_hash(packages: Packages) -> str:
    """One hash for a set of packages, whatever order it was found in; empty for none."""
    lines = (f"{name} {' '.join(sorted(hashes))}\n" for name, hashes in sorted(packages.items()))
    text = "".join(lines)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if text else ""


def dumps(lock: Lock) -> str:
    """The file's text: equal locks give equal bytes, and a change of one provider changes its lines alone."""
    blocks = [f"{_HEAD}version = {lock.version}\n"]
    for locked in sorted(lock.provider, key=lambda entry: entry.id):
        lines = ["[[provider]]"]
        lines += [f"{name} = {_quoted(value)}" for name in _FIELDS if (value := getattr(locked, name))]
        if locked.packages:
            lines += ["", "[provider.packages]"]
        for name, hashes in sorted(locked.packages.items()):
            inner = "".join(f"  {_quoted(value)},\n" for value in sorted(hashes))
            lines.append(f"{_quoted(name)} = [\n{inner}]" if inner else f"{_quoted(name)} = []")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def loads(text: str, name: str = NAME) -> Lock:
    """Reads the file's text.

    Raises:
        PreconditionError: MANIFEST_INVALID: it is no lock, of another version, or not what it says it is.
    """
    try:
        lock = msgspec.convert(tomllib.loads(text), Lock)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _invalid(f"{name} is no lock: {error}") from None
    if lock.version != _VERSION:
        raise _invalid(f"{name} is of version {lock.version}, and this broker reads {_VERSION}")
    names = [locked.id for locked in lock.provider]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise _invalid(f"{name} has {', '.join(sorted(doubled))} twice")
    for locked in lock.provider:
        if locked.environment != packages_hash(locked.packages):
            raise _invalid(f"{name} was edited: the packages of {locked.id} are not those it has the hash of")
    return lock


def read(path: Path) -> Lock | None:
    """Reads a lock; None when there is none.

    Raises:
        PreconditionError: As `loads`.
    """
    try:
        return loads(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise _invalid(f"{path.name} cannot be read") from None


def write(path: Path, lock: Lock) -> bool:
    """Writes it whole or not at all; False when it said this before.

    Raises:
        PreconditionError: It cannot be written.
    """
    text = dumps(lock)
    try:
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
            return False
        _replace(path, text)
    except OSError as error:
        raise _invalid(f"{path.name} could not be written: {error.strerror}", hint="check its folder") from None
    return True


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        # As any file people keep in a repository; temporary ones are for their maker alone.
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _quoted(text: str) -> str:
    # A JSON string is a TOML one, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _invalid(message: str, *, hint: str = "make it anew with `mediaconduit lock`") -> PreconditionError:
    return PreconditionError(message, reason=Reason.MANIFEST_INVALID, hint=hint)
