"""The manifest, normalised."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Runtime(enum.StrEnum):
    """Which provider host a repository needs."""

    PYTHON = "python"
    NODE = "node"
    EXEC = "exec"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest whose variants have been made one."""

    id: str
    """Lower-case letters, digits and '-'."""
    name: str
    """For people."""
    version: str
    runtime: Runtime
    entry: str
    """python: "module:Class"."""
    description: str = ""
    capabilities: tuple[str, ...] = ()
    """As promised; the running provider's own list is what counts."""
    tags: tuple[str, ...] = ()
    """Capabilities of older manifests that are no capability of ours ("voice-cloning")."""
    dependencies: tuple[str, ...] = ()
    """python: requirements, for repositories without pyproject.toml or requirements.txt."""
    build: tuple[tuple[str, ...], ...] = ()
    """exec: commands that make the program, each with its arguments."""
    command: tuple[str, ...] = ()
    """exec: what starts it, relative to the built repository."""
    environment: tuple[str, ...] = ()
    """Names of plain variables passed on to the process."""
    network: bool = False
    """Whether it needs the network; only a sandbox keeps it away."""
    secrets: tuple[str, ...] = ()
    """Names of keys it needs."""
    start_timeout: float | None = None
    """Seconds to READY."""
    warnings: tuple[str, ...] = ()
    """What is odd about the file, one sentence each."""
