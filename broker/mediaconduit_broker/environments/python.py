"""Python environments: uv installs wheels into a folder, and nothing of what it installs is run."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

import uv
from mediaconduit.errors import PreconditionError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mediaconduit_broker.environments.errors import build_failed, cannot_plan
from mediaconduit_broker.environments.interpreters import Interpreter, choose_interpreter
from mediaconduit_broker.environments.lock import read_lock
from mediaconduit_broker.environments.plan import BuildStep, EnvironmentPlan, Made, Parts, Report
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.requirements import (
    OURS,
    Repository,
    Requirements,
    read_pyproject,
    refuse_unreadable,
)
from mediaconduit_broker.environments.requirements_txt import read_requirements_txt
from mediaconduit_broker.environments.tools import Tools

WHEELS = Path(__file__).parent.parent / "_bundled" / "wheels"
"""Our own distributions, which are on no registry."""
_BARE: Final = ("-I", "-S")
"""Without site: a .pth file or a sitecustomize that some wheel brought would run its code."""


@dataclass(frozen=True, slots=True)
class PythonPlan(EnvironmentPlan):
    """A virtual environment with the provider host and what the repository requires."""

    provider_id: str
    source: str
    repository: Path
    entry: str
    interpreter: Interpreter
    wheels: tuple[Path, ...]
    host: tuple[str, ...]
    """What the wheels are: name and hash of each."""
    requirements: Requirements
    groups: tuple[str, ...]
    locked: bool = False
    """Whether `requirements` are all it may hold beside the provider host."""

    @property
    def parts(self) -> Parts:
        """See `EnvironmentPlan.parts`."""
        wanted = self.requirements
        return {
            "interpreter": (f"{self.interpreter} ({self.interpreter.path})",),
            "provider host": self.host,
            "requirements": wanted.lines,
            "constraints": (*wanted.constraints, *wanted.overrides),
            "package indexes": (*wanted.indexes, *wanted.find_links),
            "dependency groups": self.groups,
        }

    def command(self, folder: Path) -> list[str]:
        """See `EnvironmentPlan.command`."""
        return [str(folder / "bin" / "python"), "-m", "mediaconduit_provider", self.entry]

    def working_folder(self, folder: Path) -> Path:
        """The repository: its modules are found there."""
        return self.repository

    async def make(self, folder: Path, tools: Tools, report: Report) -> Made:
        """See `EnvironmentPlan.make`."""
        report(BuildStep("creating the environment", 0.1))
        python = str(self.interpreter.path)
        venv = ("venv", "--relocatable", "--no-project", "--allow-existing", "--python", python)
        await tools.run(uv.find_uv_bin(), *venv, str(folder), step="create")
        files = await self._requirement_files(folder, tools)
        count = len(self.requirements.lines)
        report(BuildStep(f"installing {count} requirement{'' if count == 1 else 's'}", 0.3))
        # Copies, because an edit of a hard-linked file would appear in every environment. Wheels only, because a
        # source distribution runs its author's code to build.
        output = await tools.run(
            uv.find_uv_bin(), "pip", "install", "--python", str(folder / "bin" / "python"), "--link-mode", "copy",
            "--no-build", *self._places(), *files, *map(str, self.wheels), step="install",
        )  # fmt: skip
        report(BuildStep("compiling", 0.7, tuple(output.splitlines()[-20:])))
        packages = _site_packages(folder)
        await self._compile(packages, tools)
        report(BuildStep("checking the environment", 0.9))
        await self._check(folder, packages, tools)
        installed = _installed(packages)
        if self.locked:
            _refuse_unlocked(installed, self.requirements)
        return Made(interpreter=str(self.interpreter), packages=installed)

    async def _requirement_files(self, folder: Path, tools: Tools) -> list[str]:
        """Arguments that name files with everything to install; as arguments of their own some could be options."""
        wanted = self.requirements
        lines = wanted.lines if wanted.lock is None else await self.exported(tools)
        arguments: list[str] = []
        for option, content in (("-r", lines), ("-c", wanted.constraints), ("--overrides", wanted.overrides)):
            if content:
                path = folder / f"{option.strip('-')}.requirements.txt"
                path.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
                arguments += [option, str(path)]
        return arguments

    async def exported(self, tools: Tools) -> list[str]:
        """What uv.lock pins for this machine, with hashes. Reads the lock and nothing else: no backend, no index."""
        ours = [argument for name in sorted(OURS) for argument in ("--no-emit-package", name)]
        groups = [argument for name in self.groups for argument in ("--group", name)]
        output = await tools.run(
            uv.find_uv_bin(), "export", "--frozen", "--no-config", "--no-emit-project", "--no-default-groups",
            "--no-annotate", "--no-header", "--quiet", "--python", str(self.interpreter.path), *ours, *groups,
            folder=self.repository, step="install", failure="uv.lock could not be read",
        )  # fmt: skip
        return re.sub(r"\s*\\\n\s*", " ", output).splitlines()

    def _places(self) -> list[str]:
        wanted = self.requirements
        indexes = [argument for url in wanted.indexes for argument in ("--index", url)]
        return indexes + [argument for url in wanted.find_links for argument in ("--find-links", url)]

    async def _compile(self, packages: Path, tools: Tools) -> None:
        """Bytecode of everything. uv's own way starts the interpreter with site."""
        compileall = (*_BARE, "-m", "compileall", "-qq", "-j", "2", str(packages))
        try:
            await tools.run(str(self.interpreter.path), *compileall, step="compile")
        except PreconditionError as error:
            if "disk is full" in error.message:
                raise
            # Some wheels carry files that are no Python of this version; what is imported will compile itself.

    async def _check(self, folder: Path, packages: Path, tools: Tools) -> None:
        """Without importing a thing: the interpreter starts, and the provider host is there as it was made."""
        await tools.run(str(folder / "bin" / "python"), *_BARE, "-c", "", step="check")
        if _hashes(self.wheels) != self.host:
            message = "the broker's own packages were replaced during the build"
            raise build_failed("check", message, hint="load the provider again")
        for wheel in self.wheels:
            if (changed := first_changed(wheel, packages)) is not None:
                raise build_failed(
                    "check",
                    f"a dependency brings a {changed} of its own in place of the provider host's",
                    hint="drop that dependency",
                )


async def plan_python(request: EnvironmentRequest, tools: Tools) -> PythonPlan:
    """Plans the environment of a Python provider.

    Raises:
        PreconditionError: BUILD_FAILED, step "plan", or SOURCE_NOT_TRUSTED.
    """
    requirements, groups = _read(request)
    wheels = _wheels(requirements.ours)
    if request.packages is not None:
        requirements = replace(requirements, lines=request.packages, constraints=(), overrides=(), lock=None)
    interpreter = await choose_interpreter(requirements.python, ",".join(map(_requires_python, wheels)), tools)
    return PythonPlan(
        request.provider_id,
        request.source,
        request.folder,
        request.manifest.entry,
        interpreter,
        wheels,
        _hashes(wheels),
        requirements,
        groups,
        locked=request.packages is not None,
    )


def _read(request: EnvironmentRequest) -> tuple[Requirements, tuple[str, ...]]:
    """The first of uv.lock, pyproject.toml, requirements.txt and the manifest that says something; and known groups."""
    repository = Repository(request.folder, request.permissions)
    pyproject = repository.toml("pyproject.toml")
    python = ""
    if pyproject is not None:
        groups = tuple(name for name in request.groups if name in pyproject.get("dependency-groups", {}))
        found, stated = read_pyproject(repository, pyproject, groups)
        if (locked := read_lock(repository, pyproject)) is not None:
            return locked, groups
        if stated or groups:
            return found, groups
        python = found.python
    listed = read_requirements_txt(repository)
    if listed is None:
        if pyproject is not None:
            refuse_unreadable(pyproject)
        lines = repository.requirements(request.manifest.dependencies, "the manifest")
        listed = Requirements(lines=tuple(sorted(lines)))
    return Requirements(listed.lines, listed.constraints, (), listed.indexes, listed.find_links, python), ()


def _wheels(names: frozenset[str]) -> tuple[Path, ...]:
    """The broker's own wheels of these distributions."""
    wheels = {path.name.split("-")[0].replace("_", "-"): path for path in sorted(WHEELS.glob("*.whl"))}
    if names - wheels.keys():
        raise cannot_plan(
            "this broker was installed without the provider host's wheels",
            hint="in a checkout run `make wheels`; else reinstall the broker",
        )
    return tuple(wheels[name] for name in sorted(names))


def _hashes(wheels: Sequence[Path]) -> tuple[str, ...]:
    return tuple(f"{path.name.split('-')[0]} {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}" for path in wheels)


def _requires_python(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return str(HeaderParser().parsestr(archive.read(name).decode())["Requires-Python"] or "")


def _site_packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"))


def _installed(packages: Path) -> tuple[str, ...]:
    found = (path.name.removesuffix(".dist-info") for path in packages.glob("*.dist-info"))
    return tuple(sorted("==".join(name.rsplit("-", 1)) for name in found))


def _refuse_unlocked(installed: Sequence[str], locked: Requirements) -> None:
    """Refuses packages that were installed because something needs them that came after the lock."""
    known = {canonicalize_name(Requirement(line.split(" --hash")[0]).name) for line in locked.lines} | OURS
    if unknown := [package for package in installed if canonicalize_name(package.split("==")[0]) not in known]:
        raise build_failed(
            "check",
            f"the lock lacks {', '.join(unknown)}, which the provider host needs",
            hint="it was made for another version of the broker: run `mediaconduit lock` and review what changes",
        )


def first_changed(wheel: Path, packages: Path) -> str | None:
    """The first file of a wheel that is not as the wheel has it."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(archive.read(record).decode().splitlines()))
    for name, stated, _ in rows:
        algorithm, _, value = stated.partition("=")
        path = packages / name
        if not value or "/../" in name or ".data/" in name:
            continue
        found = hashlib.new(algorithm, path.read_bytes()).digest() if path.is_file() else b""
        if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != value:
            return name
    return None
