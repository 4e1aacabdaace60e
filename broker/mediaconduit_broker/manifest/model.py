"""The manifest, normalised."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Runtime(enum.StrEnum):
    """Which provider host a repository needs."""

    PYTHON = "python"
    NODE = "node"
    EXEC = "exec"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An input to try a capability with."""

    text: str = ""
    file: str = ""
    """In place of a text: a file of the repository."""
    media_type: str = ""
    """Of the file."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As `TransformOptions` in JSON has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """How ``mediaconduit test`` tries a provider where nothing else is said."""

    upstream: tuple[str, ...] = ()
    """Command that serves what stands in for its vendor, and writes the URL of that to its stdout."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings to configure it with; "{upstream}" in them is that URL."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values of secrets that open nothing, for the stand-in."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """By capability, where the suite's own do not do."""
    models: tuple[str, ...] = ()
    """Ids of the only models to try, as cheap ones."""


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
    """python: "module:Class". node: "src/index.ts" or "src/index.ts:Export"; empty = its usual place."""
    description: str = ""
    license: str = ""
    """SPDX expression ("Apache-2.0")."""
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
    models: tuple[str, ...] = ()
    """Ids of the models it promises. What the running provider lists is what counts."""
    conformance: Conformance = field(default_factory=Conformance)
    warnings: tuple[str, ...] = ()
    """What is odd about the file, one sentence each."""
