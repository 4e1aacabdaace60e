"""What a caller says when it asks for an environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mediaconduit_broker.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the operator allows one provider beyond what any may."""

    build: bool = False
    """It may run the build commands of its manifest, which is code of its repository."""
    indexes: tuple[str, ...] = ()
    """Package indexes, and places of single packages, that its own files may name: URLs, each with all below it."""

    def index(self, url: str) -> bool:
        """Whether its files may send the installer to this URL."""
        plain = url.rstrip("/")
        return any(plain == known.rstrip("/") or plain.startswith(known.rstrip("/") + "/") for known in self.indexes)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRequest:
    """An environment for one provider."""

    provider_id: str
    source: str
    """Where its repository comes from, without its version: two sources never share an environment."""
    folder: Path
    """The repository."""
    manifest: Manifest
    groups: tuple[str, ...] = ()
    """Dependency groups wanted too ("dev"); those it lacks are left out."""
    permissions: Permissions = field(default_factory=Permissions)
    packages: tuple[str, ...] | None = None
    """From a lock: what to install in place of what its files ask for, each with its version and hashes."""
