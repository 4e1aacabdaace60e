"""Checks whether a folder is fit to be published: looks at it, clones it, and tries the clone."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mediaconduit.errors import MediaConduitError

from mediaconduit_broker.conformance import Outcome, Report, run_conformance
from mediaconduit_broker.conformance.check import CheckFailedError, SkippedError
from mediaconduit_broker.environments import BuildStep, Permissions
from mediaconduit_broker.manifest import Manifest, read_manifest
from mediaconduit_broker.publishing import leaks, tree, verdicts
from mediaconduit_broker.publishing.tree import Tree
from mediaconduit_broker.sources.git_command import Git, GitFailedError
from mediaconduit_broker.state import StateFolder

_ADVICE: Final = {
    "manifest": "docs/manifest.md lists all keys; catalogs and people read it before anybody runs the provider",
    "license": "name it in the manifest (Apache-2.0, MIT) and put its text into LICENSE",
    "readme": "say what it does, its models and options, what it needs, and how to try it",
    "committed": "git add what belongs to it and commit; list what does not in .gitignore",
    "secrets": "take it out, also of older commits, and have the key replaced: whoever could read it has it. "
    "`mediaconduit: not a secret` on its line says that it is none",
    "size": "fetch what is large when it is needed, not with the code",
    "version": "raise it with every change that others get, in all places, and tag the commit",
    "clone": "others get what git has, and nothing else",
    "conformance": "`mediaconduit test` on the folder shows each check with what to do",
}
NAMES: Final = tuple(_ADVICE)
_SHORT: Final = 12

Look = Callable[[], Awaitable[str]]


async def check_publishable(
    folder: Path,
    *,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    environ: Mapping[str, str],
    allow_build: bool = False,
    report: Callable[[BuildStep | Outcome], None] = lambda news: None,
) -> Report:
    """Looks at the folder of a provider, then clones what is committed and runs the conformance suite on the clone.

    Args:
        folder: The provider.
        settings: For the suite.
        secrets: For the suite.
        environ: The caller's variables.
        allow_build: Whether the manifest's build commands may run.
        report: Told of every check as it ends, and of steps on the way.

    Raises:
        NotFoundError: It has no manifest.
        PreconditionError: The manifest is wrong, or there is no git.
    """
    manifest = await asyncio.to_thread(read_manifest, folder)
    git = Git(environ)
    known = await tree.read_tree(folder, git)
    looks = _Looks(folder, manifest, known, {**environ, **secrets})
    outcomes: list[Outcome] = []

    async def judge(name: str, look: Look) -> None:
        outcomes.append(await _judge(name, look))
        report(outcomes[-1])

    for name in ("manifest", "license", "readme", "committed", "secrets", "size", "version"):
        await judge(name, getattr(looks, name))
    with tempfile.TemporaryDirectory(prefix="mediaconduit-publish-") as place:
        clone = Path(place) / "clone"

        async def tried() -> str:
            cloned = clone / known.prefix
            if not outcomes[-1].passed:
                raise SkippedError("there is no clone to try")
            if manifest.build and not allow_build:
                raise SkippedError("needs --allow-build: its manifest runs commands to build it")
            found = await run_conformance(
                cloned.as_uri(),
                settings=settings,
                secrets=secrets,
                base=cloned,
                state=StateFolder(Path(place) / "state"),
                environ=environ,
                permissions=Permissions(build=allow_build),
                report=lambda news: report(news) if isinstance(news, BuildStep) else None,
            )
            return _summary(found)

        await judge("clone", lambda: _clone(known, manifest, clone, git))
        await judge("conformance", tried)
    return Report(manifest.id, tuple(outcomes))


class _Looks:
    """What is seen without running anything. Each is named like its check."""

    def __init__(self, folder: Path, manifest: Manifest, known: Tree, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._manifest = manifest
        self._tree = known
        self._values = {name: environ[name] for name in manifest.secrets if environ.get(name)}
        self._readme = verdicts.readme_name(known.files)

    async def manifest(self) -> str:
        return verdicts.manifest(self._manifest)

    async def license(self) -> str:
        return verdicts.license_named(self._manifest.license, self._tree.files, self._readme_text())

    async def readme(self) -> str:
        return verdicts.readme(self._readme, self._readme_text(), self._manifest)

    async def committed(self) -> str:
        return verdicts.committed(self._tree)

    async def secrets(self) -> str:
        found = await asyncio.to_thread(self._leaks)
        if found:
            raise CheckFailedError(leaks.shown(found))
        return f"none in {len(self._tree.files)} files"

    async def size(self) -> str:
        paths = {name: self._folder / name for name in self._tree.files}
        return verdicts.size({name: path.lstat().st_size for name, path in paths.items() if path.is_file()})

    async def version(self) -> str:
        return verdicts.version(self._manifest.version, _versions(self._folder), self._tree)

    def _leaks(self) -> list[leaks.Leak]:
        files = ((name, tree.text_of(self._folder / name)) for name in self._tree.files)
        return [leak for name, text in files for leak in leaks.leaks(name, text, self._values)]

    def _readme_text(self) -> str:
        return tree.text_of(self._folder / self._readme) if self._readme else ""


async def _clone(known: Tree, manifest: Manifest, target: Path, git: Git) -> str:
    if not known.commit:
        raise SkippedError("nothing is committed yet")
    try:
        folder = await tree.clone(known, target, git)
    except GitFailedError as error:
        raise CheckFailedError(f"git cannot clone it: {error.text.strip().splitlines()[-1]}") from None
    cloned = await asyncio.to_thread(read_manifest, folder)
    if cloned != manifest:
        raise CheckFailedError("the manifest of the clone is another one")
    place = verdicts.source(known.remote, known.prefix, f"v{manifest.version}")
    return f"{known.commit[:_SHORT]}" + (f"; once it is pushed: mediaconduit provider add {place}" if place else "")


def _summary(found: Report) -> str:
    if found.failed:
        lines = [f"{outcome.name}: {outcome.detail}" for outcome in found.failed]
        raise CheckFailedError("\n".join([f"{len(lines)} of {len(found.outcomes)} checks failed on the clone", *lines]))
    if found.skipped:
        needs = {outcome.detail.removeprefix("skipped: ").partition(" for ")[0] for outcome in found.skipped}
        raise SkippedError(f"{len(found.skipped)} of {len(found.outcomes)} checks: {', '.join(sorted(needs))}")
    return f"{len(found.outcomes)} checks passed on the clone"


async def _judge(name: str, look: Look) -> Outcome:
    started = time.monotonic()
    passed = skipped = False
    try:
        detail, passed = await look(), True
    except SkippedError as reason:
        detail, skipped = f"skipped: {reason}", True
    except CheckFailedError as error:
        detail = str(error)
    except MediaConduitError as error:
        detail = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
    seconds = time.monotonic() - started
    return Outcome(name, passed, detail, seconds, advice="" if passed or skipped else _ADVICE[name], skipped=skipped)


def _versions(folder: Path) -> dict[str, str]:
    """Versions that other files of the folder state."""
    found: dict[str, Any] = {}
    try:
        project = tomllib.loads(tree.text_of(folder / "pyproject.toml")).get("project", {})
        crate = tomllib.loads(tree.text_of(folder / "Cargo.toml")).get("package", {})
        package = json.loads(tree.text_of(folder / "package.json") or "{}")
        found = {"pyproject.toml": project.get("version"), "Cargo.toml": crate.get("version")}
        found["package.json"] = package.get("version")
    except (ValueError, AttributeError):
        pass  # what cannot be read is the build's matter
    return {name: version for name, version in found.items() if isinstance(version, str)}
