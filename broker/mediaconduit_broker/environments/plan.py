"""What goes into an environment, and the key that follows from it."""

from __future__ import annotations

import abc
import functools
import hashlib
import platform
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit_broker.environments.tools import Tools

_FORMAT: Final = "2"
"""Counts changes of what a build makes of equal parts."""

Parts = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class BuildStep:
    """How far a build is."""

    message: str
    fraction: float
    log_lines: tuple[str, ...] = ()


Report = Callable[[BuildStep], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a build says about what it made."""

    interpreter: str
    """Interpreter or toolchain."""
    packages: tuple[str, ...] = ()
    """"name==version", in order of name."""


class EnvironmentPlan(abc.ABC):
    """Everything an environment is made from, and how. Equal plans have equal keys."""

    provider_id: str
    source: str

    @property
    @abc.abstractmethod
    def parts(self) -> Parts:
        """What goes in, by the name people have for it ("requirements"): a change of any is another environment."""

    @abc.abstractmethod
    async def make(self, folder: Path, tools: Tools, report: Report) -> Made:
        """Fills an empty folder, which is moved to its place afterwards.

        Raises:
            PreconditionError: BUILD_FAILED with the step and the last lines of its output.
        """

    @abc.abstractmethod
    def command(self, folder: Path) -> list[str]:
        """What starts the provider, given where the environment is."""

    @abc.abstractmethod
    def working_folder(self, folder: Path) -> Path:
        """Where that is started."""

    @property
    def key(self) -> str:
        """Hash of the parts, the platform and whose environment it is; 20 hex digits.

        Whose it is counts because a provider can write to its own environment, and none may reach another's.
        """
        digest = hashlib.sha256()
        for part in (_FORMAT, _platform(), self.provider_id, self.source):
            digest.update(part.encode() + b"\0")
        for name, values in sorted(self.parts.items()):
            digest.update(name.encode() + b"\1" + b"\0".join(value.encode() for value in values) + b"\0")
        return digest.hexdigest()[:20]


@functools.cache
def _platform() -> str:
    """Machine and C library. Not the kernel: its next version runs the same files."""
    return " ".join((sysconfig.get_platform(), *platform.libc_ver()))


def difference(before: Parts, now: Parts) -> str:
    """What changed from one plan to the next, in words; empty when nothing did."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new = set(before.get(name, ())), set(now.get(name, ()))
        if old == new:
            continue
        changes = [*(f"+{value}" for value in sorted(new - old)), *(f"-{value}" for value in sorted(old - new))]
        shown = ", ".join(changes[:_SHOWN]) + (f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else "")
        found.append(f"{name} changed: {shown}")
    return "; ".join(found)


_SHOWN: Final = 6
