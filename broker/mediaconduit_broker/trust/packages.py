"""Which packages an environment may hold, on any platform: resolved by uv from metadata, no code of them run."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import uv
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mediaconduit_broker.environments.python import WHEELS, PythonPlan
from mediaconduit_broker.environments.requirements import OURS
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.trust.lockfile import Packages

_HOST: Final = "mediaconduit-provider"
_HASH: Final = re.compile(r"\s*--hash=(\S+)")
_MINORS: Final = range(11, 30)
"""Of Python 3; the provider host needs 3.11."""


async def resolve_packages(plan: PythonPlan, tools: Tools, known: Packages) -> dict[str, tuple[str, ...]]:
    """The packages of an environment on every platform and every Python its project allows, with their hashes.

    Args:
        plan: The environment.
        tools: Runs uv.
        known: What it held before: kept where it still fits, so that a lock changes only for a reason.

    Raises:
        PreconditionError: BUILD_FAILED: the requirements do not fit together, or the registry cannot be reached.
    """
    wanted = plan.requirements
    lines = wanted.lines if wanted.lock is None else tuple(await plan.exported(tools))
    with tempfile.TemporaryDirectory(prefix="mediaconduit-lock-") as name:
        folder = Path(name)
        arguments = [
            *_file(folder, "requirements", "", (*lines, _HOST)),
            *_file(folder, "constraints", "--constraints", wanted.constraints),
            *_file(folder, "overrides", "--overrides", wanted.overrides),
            *(argument for url in wanted.indexes for argument in ("--index", url)),
            *(argument for url in wanted.find_links for argument in ("--find-links", url)),
        ]
        result = folder / "result.txt"
        result.write_text("".join(f"{line}\n" for line in pinned_lines(known)), encoding="utf-8")
        await tools.run(
            uv.find_uv_bin(), "pip", "compile", "--universal", "--generate-hashes", "--no-build", "--no-header",
            "--no-annotate", "--quiet", "--python", str(plan.interpreter.path),
            "--python-version", oldest_python(wanted.python), "--find-links", str(WHEELS),
            *arguments, "--output-file", str(result),
            step="install", failure="the provider's requirements could not be resolved",
        )  # fmt: skip
        return parse_packages(result.read_text(encoding="utf-8"))


def parse_packages(text: str) -> dict[str, tuple[str, ...]]:
    """Requirements with hashes, as uv writes them; without our own, which the broker brings."""
    found = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        requirement = _HASH.sub("", line).strip()
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        if name and not requirement.startswith("-") and canonicalize_name(name[0]) not in OURS:
            found[requirement] = tuple(sorted(_HASH.findall(line)))
    return found


def pinned_lines(packages: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Packages as pip's requirements, each with its hashes."""
    return tuple(
        " ".join((requirement, *(f"--hash={value}" for value in sorted(hashes))))
        for requirement, hashes in sorted(packages.items())
    )


def oldest_python(requires: str) -> str:
    """The oldest "3.x" that a project and the provider host allow."""
    allowed = SpecifierSet(requires)
    fitting = (minor for minor in _MINORS if allowed.contains(f"3.{minor}.0") or allowed.contains(f"3.{minor}.99"))
    return f"3.{next(fitting, _MINORS[0])}"


def _file(folder: Path, name: str, option: str, lines: Sequence[str]) -> list[str]:
    """Arguments that name a file with these lines; none for no lines."""
    if not lines:
        return []
    path = folder / f"{name}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [option, str(path)] if option else [str(path)]
