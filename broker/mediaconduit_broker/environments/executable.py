"""`runtime: exec`: any language. The manifest says how to build and how to start."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mediaconduit.errors import PreconditionError

from mediaconduit_broker.environments import hosts
from mediaconduit_broker.environments.errors import build_failed, cannot_plan, not_allowed
from mediaconduit_broker.environments.plan import BuildStep, EnvironmentPlan, Made, Parts, Report
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.environments.tree import copy_tree, is_cache, tree_hash

FOLDER: Final = "{folder}"
"""In a command: where the built repository is."""
_VERSION_ARGUMENTS: Final = ("--version", "version")


@dataclass(frozen=True, slots=True)
class ExecutablePlan(EnvironmentPlan):
    """A copy of the repository in which its build commands have run."""

    provider_id: str
    source: str
    repository: Path
    tree: str
    """Hash of the repository's files."""
    build: tuple[tuple[str, ...], ...]
    start: tuple[str, ...]
    toolchain: tuple[str, ...]
    """What the programs of the build say of their versions."""
    path: str
    """Where programs are looked for."""
    libraries: tuple[hosts.HostLibrary, ...] = ()
    """Host libraries of ours that it is built with."""
    libraries_hash: tuple[str, ...] = ()

    @property
    def parts(self) -> Parts:
        """See `EnvironmentPlan.parts`."""
        return {
            "files": (self.tree[:16],),
            "build commands": tuple(" ".join(command) for command in self.build),
            "toolchain": self.toolchain,
            **({"provider host": self.libraries_hash} if self.libraries_hash else {}),
        }

    def command(self, folder: Path) -> list[str]:
        """See `EnvironmentPlan.command`."""
        program, *arguments = (part.replace(FOLDER, str(folder)) for part in self.start)
        return [_program(program, folder, self.path) or program, *arguments]

    def working_folder(self, folder: Path) -> Path:
        """The built repository."""
        return folder

    async def make(self, folder: Path, tools: Tools, report: Report) -> Made:
        """See `EnvironmentPlan.make`."""
        await asyncio.to_thread(copy_tree, self.repository, folder)
        await asyncio.to_thread(hosts.put, self.libraries, folder)
        for number, command in enumerate(self.build):
            shown = " ".join(command)
            report(BuildStep(f"building: {shown[:80]}", 0.1 + 0.8 * number / len(self.build)))
            program = _program(command[0], folder, self.path) or command[0]
            arguments = (part.replace(FOLDER, str(folder)) for part in command[1:])
            await tools.run(program, *arguments, folder=folder, step="build", failure=f"`{shown}` failed")
        report(BuildStep("checking the build", 0.95))
        await asyncio.to_thread(self._remove_caches, folder)
        if _program(self.start[0].replace(FOLDER, str(folder)), folder, self.path) is None:
            raise build_failed(
                "check",
                f"there is no program {self.start[0]} after the build",
                hint="`command` of the manifest begins with a program on PATH, or a path that `build` makes",
            )
        return Made(interpreter="; ".join(self.toolchain))

    def _remove_caches(self, folder: Path) -> None:
        """What is needed to build again and not to run, unless the program itself is in it."""
        for entry in folder.iterdir():
            if is_cache(entry) and not any(part.startswith(f"{entry.name}/") for part in self.start):
                shutil.rmtree(entry)


async def plan_executable(request: EnvironmentRequest, tools: Tools) -> ExecutablePlan:
    """Plans the build of a provider in any language.

    Raises:
        PreconditionError: SOURCE_NOT_TRUSTED: it has build commands, which the operator has not allowed;
            BUILD_FAILED, step "plan": a program it needs is not on this machine, or a link leads out of the folder.
    """
    manifest = request.manifest
    ours = request.folder.parent in hosts.bundled_providers()
    if manifest.build and not (request.permissions.build or ours):
        command = f"mediaconduit provider add {request.source} --allow-build"
        raise not_allowed(
            f"building {request.provider_id} runs commands of its repository, which is not allowed yet",
            hint=f"when you trust it: `{command}`, or `allow_build = true` in [providers.{request.provider_id}] "
            f"of the config; it would run {_shown(manifest.build)}",
            source=request.source,
            how_to_allow=command,
        )
    tree = await asyncio.to_thread(tree_hash, request.folder)
    libraries = hosts.wanted(request.folder)
    path = tools.environ.get("PATH", os.defpath)
    programs = dict.fromkeys(command[0] for command in manifest.build if "/" not in command[0])
    toolchain = [await _version(program, path, tools) for program in programs]
    return ExecutablePlan(
        request.provider_id,
        request.source,
        request.folder,
        tree,
        manifest.build,
        manifest.command,
        tuple(toolchain),
        path,
        libraries,
        await asyncio.to_thread(hosts.fingerprint, libraries),
    )


def _shown(commands: Sequence[Sequence[str]]) -> str:
    return "; ".join(f"`{' '.join(command)}`" for command in commands)[:200]


_versions: dict[tuple[str, int, int], str] = {}
"""By program, time of change and size: asking takes longer than everything else of a start."""


async def _version(name: str, path: str, tools: Tools) -> str:
    """The first line a program of the toolchain says about its version."""
    found = shutil.which(name, path=path)
    if found is None:
        raise cannot_plan(
            f"building this provider takes {name}, which is not on this machine",
            hint=f"install {name} where the broker's PATH finds it, then load the provider again",
        )
    about = os.stat(found)
    identity = (found, about.st_mtime_ns, about.st_size)
    if identity not in _versions:
        _versions[identity] = await _ask(found, tools)
    return _versions[identity]


async def _ask(program: str, tools: Tools) -> str:
    name = Path(program).name
    for argument in _VERSION_ARGUMENTS:
        try:
            lines = (await tools.run(program, argument)).splitlines()
        except PreconditionError:
            continue
        return next((line.strip()[:100] for line in lines if line.strip()), name)
    return name


def _program(name: str, folder: Path, path: str) -> str | None:
    """A program as the kernel wants it: one of the repository by its path, another from PATH."""
    if "/" not in name:
        return shutil.which(name, path=path)
    made = folder / name
    return str(made) if made.is_file() and os.access(made, os.X_OK) else None
