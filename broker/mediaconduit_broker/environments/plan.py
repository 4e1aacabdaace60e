"""What goes into an environment, and the key that follows from it."""

from __future__ import annotations

import hashlib
import platform
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.manifest import Manifest

WHEELS = Path(__file__).parent.parent / "_bundled" / "wheels"
"""Our own distributions, which are on no registry."""


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """Everything an environment is made from. Equal plans share one build."""

    interpreter: Path
    wheels: tuple[Path, ...]
    requirements: tuple[str, ...]
    """As the repository states them, in order of text."""

    @property
    def key(self) -> str:
        """Hash of interpreter, platform, our wheels and the requirements; 20 hex digits."""
        digest = hashlib.sha256()
        for part in (sys.version, platform.platform(), str(self.interpreter), *self.requirements):
            digest.update(part.encode() + b"\0")
        for wheel in self.wheels:
            digest.update(wheel.read_bytes())
        return digest.hexdigest()[:20]


def plan_environment(folder: Path, manifest: Manifest, *, groups: Sequence[str] = ()) -> EnvironmentPlan:
    """Plans the environment of a Python provider: its pyproject.toml, requirements.txt or manifest says what it needs.

    Args:
        folder: The repository.
        manifest: Its manifest.
        groups: Dependency groups wanted too ("dev").

    Raises:
        PreconditionError: BUILD_FAILED, step "plan".
    """
    wheels = tuple(sorted(WHEELS.glob("*.whl")))
    if not wheels:
        raise _failed(
            "this broker was installed without the provider host's wheels",
            hint="in a checkout run `make wheels`; else reinstall the broker",
        )
    interpreter = Path(getattr(sys, "_base_executable", "") or sys.executable)
    return EnvironmentPlan(interpreter, wheels, tuple(sorted(_requirements(folder, manifest, groups))))


def _requirements(folder: Path, manifest: Manifest, groups: Sequence[str]) -> list[str]:
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file():
        try:
            data = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _failed(f"pyproject.toml is not valid TOML: {error}", hint="mend it and load again") from None
        found = list(data.get("project", {}).get("dependencies", []))
        for group in groups:
            found += [entry for entry in data.get("dependency-groups", {}).get(group, []) if isinstance(entry, str)]
        return found
    listed = folder / "requirements.txt"
    if listed.is_file():
        lines = (line.split(" #")[0].strip() for line in listed.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line and not line.startswith(("#", "-"))]
    return list(manifest.dependencies)


def _failed(message: str, *, hint: str) -> PreconditionError:
    return PreconditionError(message, reason=Reason.BUILD_FAILED, metadata={"step": "plan"}, hint=hint)
