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

_NEWEST_MINOR = 30


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
    if _fits(own, wanted):
        return own
    known = await _installed(tools)
    # uv names the newest first.
    found = next((interpreter for interpreter in known if _fits(interpreter, wanted)), None)
    if found is None:
        raise _missing(stated, needed, wanted, [own, *known])
    return found


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
