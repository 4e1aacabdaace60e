"""`runtime: node`: npm installs packages without their scripts, and esbuild turns TypeScript into what Node runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mediaconduit.errors import PreconditionError

from mediaconduit_broker.environments.errors import LAST_LINES_BYTES, build_failed, cannot_plan
from mediaconduit_broker.environments.node_package import ORIGINAL, NodePackage, read_package
from mediaconduit_broker.environments.plan import BuildStep, EnvironmentPlan, Made, Parts, Report
from mediaconduit_broker.environments.request import EnvironmentRequest
from mediaconduit_broker.environments.tools import Tools
from mediaconduit_broker.environments.tree import copy_tree, tree_hash

HOST = Path(__file__).parent.parent / "_bundled" / "node"
"""The Node host as `scripts/node-host` builds it, which is on no registry."""
_OLDEST: Final = 20
_MADE: Final = ".mediaconduit"
_TYPESCRIPT: Final = frozenset({".ts", ".mts", ".cts", ".tsx", ".jsx"})
_JAVASCRIPT: Final = frozenset({".js", ".mjs", ".cjs"})
_ENTRIES: Final = ("src/index.ts", "index.ts", "src/index.js", "index.js", "src/index.mjs", "index.mjs")
_ENTRY: Final = re.compile(r"(.*?)(:[A-Za-z_$][\w$]*)?")
_SKIPPED: Final = frozenset({"node_modules", _MADE})


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js on this machine, and its npm."""

    path: str
    version: str
    npm: str


@dataclass(frozen=True, slots=True)
class NodePlan(EnvironmentPlan):
    """A folder with the provider host, the packages a repository requires, and its code as Node runs it."""

    provider_id: str
    source: str
    repository: Path
    tree: str
    """Hash of the repository's files."""
    file: str
    """Of the entry, in the repository."""
    export: str
    """":Name" of the entry; empty = the default export."""
    node: Node
    host: str
    """Hash of the Node host."""
    package: NodePackage
    groups: tuple[str, ...]
    scripts: bool
    """Whether install scripts of packages may run."""

    @property
    def parts(self) -> Parts:
        """See `EnvironmentPlan.parts`."""
        return {
            "layout": ("repository at the top",),
            "files": (self.tree[:16],),
            "interpreter": (f"Node.js {self.node.version} ({self.node.path})",),
            "provider host": (self.host,),
            "requirements": self.package.dependencies,
            "package-lock.json": (self.package.lock_hash,),
            "overrides": (json.dumps(self.package.manifest.get("overrides", {}), sort_keys=True),),
            "dependency groups": self.groups,
            "install scripts": ("allowed",) if self.scripts else (),
        }

    def command(self, folder: Path) -> list[str]:
        """See `EnvironmentPlan.command`."""
        main = folder / "node_modules" / "@mediaconduit" / "provider" / "dist" / "main.cjs"
        return [self.node.path, "--enable-source-maps", str(main), f"{self._started(folder)}{self.export}"]

    def working_folder(self, folder: Path) -> Path:
        """The repository's copy, with its packages in it."""
        return folder

    async def make(self, folder: Path, tools: Tools, report: Report) -> Made:
        """See `EnvironmentPlan.make`."""
        count = len(self.package.dependencies)
        (folder / _MADE).mkdir()
        if count:
            report(BuildStep(f"installing {count} package{'' if count == 1 else 's'}", 0.1))
            await self._install(folder / _MADE, tools)
        report(BuildStep("adding the provider host and the code", 0.7))
        await asyncio.to_thread(self._assemble, folder)
        if self._transpiled:
            report(BuildStep("transpiling TypeScript", 0.8))
            if self.package.original:
                described = json.dumps(self.package.described)
                await asyncio.to_thread((folder / _MADE / "manifest.json").write_text, described, encoding="utf-8")
            await self._transpile(folder, tools)
        else:
            report(BuildStep("checking the code", 0.9))
            failure = f"{self.file} is not valid JavaScript"
            await tools.run(self.node.path, "--check", self.file, folder=folder, step="check", failure=failure)
        return Made(interpreter=f"Node.js {self.node.version}", packages=_installed(folder))

    @property
    def _transpiled(self) -> bool:
        return Path(self.file).suffix in _TYPESCRIPT or self.package.original

    def _started(self, folder: Path) -> Path:
        if not self._transpiled:
            return folder / self.file
        made = folder / _MADE / "provider.mjs"
        return made if made.exists() else made.with_suffix(".cjs")

    async def _install(self, folder: Path, tools: Tools) -> None:
        """Into a folder of its own, where no file of the repository tells npm anything."""
        (folder / "package.json").write_text(json.dumps(self.package.manifest, indent=2), encoding="utf-8")
        if self.package.lock is not None:
            (folder / "package-lock.json").write_text(json.dumps(self.package.lock), encoding="utf-8")
        omit = () if self.groups else ("--omit=dev",)
        scripts = () if self.scripts else ("--ignore-scripts",)
        # Git and folders would bring code that nobody has published; older versions of npm ignore these options.
        places = ("--allow-git=none", "--allow-directory=none", "--allow-file=none")
        command = "ci" if self.package.lock is not None else "install"
        try:
            await tools.run(
                self.node.npm, command, *scripts, *omit, *places, "--no-audit", "--no-fund", "--prefer-offline",
                "--loglevel=error", "--no-update-notifier", folder=folder, step="install",
            )  # fmt: skip
        except PreconditionError as error:
            raise _explained(error) from None

    def _assemble(self, folder: Path) -> None:
        """The repository, its packages, and the host last, so that no package stands in its place."""
        copy_tree(self.repository, folder)
        installed = folder / _MADE / "node_modules"
        if installed.is_dir():
            installed.rename(folder / "node_modules")
        ours = folder / "node_modules" / "@mediaconduit"
        if ours.is_symlink() or ours.exists():
            raise build_failed(
                "check", "a dependency brings packages under @mediaconduit/", hint="drop that dependency"
            )
        provider = ours / "provider"
        provider.mkdir(parents=True)
        with tarfile.open(HOST / "provider.tgz") as archive:
            for member in archive:
                member.name = member.name.removeprefix("package/")
                archive.extract(member, provider, filter="data")
        compat = provider / "compat"
        if compat.is_dir():
            shutil.copytree(compat, ours / "mediaconduit")

    async def _transpile(self, folder: Path, tools: Tools) -> None:
        path = tools.environ.get("PATH", os.defpath)
        wanted = {"entry": self.file, "original": self.package.original, "esbuild": str(_esbuild(path))}
        await tools.run(
            self.node.path, str(HOST / "transpile.cjs"), json.dumps(wanted),
            folder=folder, step="build", failure="the provider's TypeScript could not be transpiled",
        )  # fmt: skip


async def plan_node(request: EnvironmentRequest, tools: Tools) -> NodePlan:
    """Plans the environment of a Node provider.

    Raises:
        PreconditionError: BUILD_FAILED, step "plan", or SOURCE_NOT_TRUSTED.
    """
    archive = HOST / "provider.tgz"
    if not archive.is_file():
        raise cannot_plan(
            "this broker was installed without the Node host",
            hint="in a checkout run `make node-host` where npm is installed; else reinstall the broker",
        )
    package = await asyncio.to_thread(read_package, request)
    match = _ENTRY.fullmatch(request.manifest.entry)
    assert match is not None
    file = _entry_file(request.folder, match[1], package.main)
    if not package.original and await asyncio.to_thread(_imports_original, request.folder):
        package = replace(package, original=True)
    return NodePlan(
        request.provider_id,
        request.source,
        request.folder,
        await asyncio.to_thread(tree_hash, request.folder),
        file,
        match[2] or "",
        await _node(tools, needs_npm=bool(package.dependencies)),
        await asyncio.to_thread(_hash, HOST),
        package,
        tuple(group for group in request.groups if group == "dev"),
        request.permissions.build,
    )


def _entry_file(folder: Path, stated: str, main: str) -> str:
    """The file that exports the provider. `main` often names what only a build makes."""
    if stated:
        suffix = Path(stated).suffix
        if suffix not in _TYPESCRIPT | _JAVASCRIPT or not (folder / stated).is_file():
            raise cannot_plan(
                f"entry: there is no TypeScript or JavaScript file {stated}",
                hint="name the file that exports the provider, as `src/index.ts` or `src/index.ts:Name`",
            )
        if not (folder / stated).resolve().is_relative_to(folder.resolve()):
            raise cannot_plan(f"entry: {stated} lies outside of the repository", hint="move it into the repository")
        return stated
    candidates = [name for name in (*_ENTRIES, main.removeprefix("./")) if name and (folder / name).is_file()]
    if not candidates:
        raise cannot_plan(
            "the repository has no src/index.ts and no index.js",
            hint="name the file that exports the provider as `entry` of the manifest",
        )
    return candidates[0]


def _imports_original(folder: Path) -> bool:
    sources = (path for path in folder.rglob("*.[jt]s") if not _SKIPPED.intersection(path.relative_to(folder).parts))
    return any(ORIGINAL.encode() in path.read_bytes() for path in sources if path.is_file())


_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
"""What Node.js calls them."""
_versions: dict[tuple[str, int], str] = {}
"""By program and time of change: asking takes longer than all else of a start."""


async def _node(tools: Tools, *, needs_npm: bool) -> Node:
    path = tools.environ.get("PATH", os.defpath)
    found, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    hint = f"install Node.js {_OLDEST} or later where the broker's PATH finds it, then load the provider again"
    if found is None or (npm is None and needs_npm):
        missing = "Node.js" if found is None else "npm"
        raise cannot_plan(f"the provider needs {missing}, which is not on this machine", hint=hint)
    identity = (found, os.stat(found).st_mtime_ns)
    if identity not in _versions:
        _versions[identity] = (await tools.run(found, "--version")).strip().removeprefix("v")
    version = _versions[identity]
    if not version.split(".")[0].isdecimal() or int(version.split(".")[0]) < _OLDEST:
        raise cannot_plan(f"Node.js {version[:20]} is too old for the provider host", hint=hint)
    return Node(found, version, npm or "npm")


def _esbuild(path: str) -> Path:
    """The one that came with the broker where it is for this machine, else one on PATH."""
    machine = platform.machine().lower()
    name = f"esbuild-{sys.platform}-{_MACHINES.get(machine, machine)}"
    if (HOST / name).is_file():
        return HOST / name
    if found := shutil.which("esbuild", path=path):
        return Path(found)
    raise cannot_plan(
        "this broker was installed without esbuild for this machine, which TypeScript takes",
        hint="install it where the broker's PATH finds it (npm install --global esbuild), or in a checkout run "
        "`make node-host`",
    )


def _hash(folder: Path) -> str:
    """Of what becomes part of environments, or shapes it."""
    digest = hashlib.sha256()
    for name in ("provider.tgz", "transpile.cjs"):
        path = folder / name
        digest.update(path.read_bytes() if path.is_file() else b"-")
    return f"@mediaconduit/provider {digest.hexdigest()[:8]}"


def _installed(folder: Path) -> tuple[str, ...]:
    """What npm says it installed, as "name==version"."""
    try:
        lock = json.loads((folder / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    packages = ((path.rpartition("node_modules/")[2], entry) for path, entry in lock.get("packages", {}).items())
    return tuple(sorted({f"{name}=={entry.get('version', '')}" for name, entry in packages if name}))


_EXPLAINED: Final = (
    (re.compile(r"\bETARGET\b|\bE404\b"), "a package, or that version of it, is not on the registry"),
    (re.compile(r"\bEUSAGE\b.*in sync", re.S), "package-lock.json does not fit package.json"),
    (re.compile(r"\bERESOLVE\b"), "the provider's packages do not fit together"),
    (re.compile(r"\bEINTEGRITY\b"), "a package is not what the repository pinned"),
    (re.compile(r"\bE40[13]\b"), "the package registry asks for credentials"),
    (
        re.compile(r"\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN)\b"),
        "the package registry could not be reached",
    ),
)


def _explained(error: PreconditionError) -> PreconditionError:
    """The failure of npm in words."""
    output = error.metadata.get("last_lines", "")
    found = next((words for pattern, words in _EXPLAINED if pattern.search(output)), "")
    if not found:
        return error
    first = next((line for line in output.splitlines() if "npm error" in line and "code" not in line), "")
    hint = first.replace("npm error", "").strip()[:300] or error.hint
    return build_failed("check", found, output[-LAST_LINES_BYTES:], hint=hint)
