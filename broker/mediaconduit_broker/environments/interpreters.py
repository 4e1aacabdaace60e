"""Which Python runs a provider: one that is on this machine. None is ever downloaded."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import uv
from mediaconduit.errors import PreconditionError
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mediaconduit_broker.environments.errors import cannot_plan
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.isolation.reach import NOBODY, obstacle

_NEWEST_MINOR = 30
_SYSTEM = Path("/usr/bin")
_VERSIONS: dict[Path, str] = {}
"""Of interpreters that were asked; a broker does not outlive an upgrade of its system by much."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python."""

    path: Path
    version: str
    implementation: str = "CPython"

    def __str__(self) -> str:
        return f"{self.implementation} {self.version}"


def own_interpreter() -> Interpreter:
    """The one the broker runs on, outside any virtual environment."""
    path = Path(getattr(sys, "_base_executable", "") or sys.executable)
    return Interpreter(path, platform.python_version(), platform.python_implementation())


async def choose_interpreter(stated: str, needed: str, tools: Tools) -> Interpreter:
    """The broker's own where that will do, else the newest other on this machine.

    Args:
        stated: The provider's requires-python; empty = any.
        needed: The provider host's.
        tools: What asks uv.

    Raises:
        PreconditionError: BUILD_FAILED, step "plan": there is none; it says which to install.
    """
    try:
        wanted = SpecifierSet(stated) & SpecifierSet(needed)
    except InvalidSpecifier:
        raise cannot_plan(
            f"pyproject.toml: requires-python {stated!r} is no version specifier", hint='write it as ">=3.11"'
        ) from None
    own = own_interpreter()
    if tools.shared and not _open_to_others(own.path):
        own = await _of_the_system(own, tools)
    if _fits(own, wanted):
        return own
    known = await _installed(tools)
    # uv names the newest first.
    fitting = [interpreter for interpreter in known if _fits(interpreter, wanted)]
    if not fitting:
        raise _missing(stated, needed, wanted, [own, *known])
    return next((one for one in fitting if tools.shared and _open_to_others(one.path)), fitting[0])


async def _of_the_system(own: Interpreter, tools: Tools) -> Interpreter:
    """The system's Python of the same minor version, which anybody may run; ours when there is none."""
    major, minor, *_ = own.version.split(".")
    path = _SYSTEM / f"python{major}.{minor}"
    if not path.exists() or not _open_to_others(path):
        return own
    if path not in _VERSIONS:
        output = await tools.run(str(path), "-I", "-c", "import platform; print(platform.python_version())")
        _VERSIONS[path] = output.strip()
    return Interpreter(path, _VERSIONS[path])


def _open_to_others(path: Path) -> bool:
    return obstacle(path, NOBODY) is None


def _fits(interpreter: Interpreter, wanted: SpecifierSet) -> bool:
    return wanted.contains(interpreter.version, prereleases=True)


async def _installed(tools: Tools) -> list[Interpreter]:
    output = await tools.run(uv.find_uv_bin(), "python", "list", "--only-installed", "--output-format", "json")
    # Warnings about interpreters that do not work come first, on stderr.
    text = next((line for line in output.splitlines() if line.startswith("[")), "[]")
    return [
        Interpreter(Path(entry["path"]), entry["version"], {"cpython": "CPython", "pypy": "PyPy"}.get(kind, kind))
        for entry in json.loads(text)
        if (kind := entry["implementation"]) and entry.get("variant", "default") == "default"
    ]


def _missing(stated: str, needed: str, wanted: SpecifierSet, known: Iterable[Interpreter]) -> PreconditionError:
    fitting = next((f"3.{minor}" for minor in range(_NEWEST_MINOR) if _any_patch(wanted, minor)), None)
    if fitting is None:
        return cannot_plan(
            f"the provider needs Python {stated}, and what runs providers needs {needed}",
            hint="widen requires-python in its pyproject.toml",
        )
    here = ", ".join(sorted({interpreter.version for interpreter in known}))
    return cannot_plan(
        f"the provider needs Python {stated}, which is not on this machine (here: {here})",
        hint=f"install it, e.g. with `uv python install {fitting}`, then load the provider again",
    )


def _any_patch(wanted: SpecifierSet, minor: int) -> bool:
    return any(wanted.contains(f"3.{minor}.{patch}") for patch in range(_NEWEST_MINOR))
