"""Fetches packages: unpacked, the manifest brought to the top, no code of it run."""

from __future__ import annotations

import asyncio
import email.parser
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
import uv

from mediaconduit_broker.manifest.read import NAMES
from mediaconduit_broker.runners.command import UV_VARIABLES, CommandFailedError, run_command
from mediaconduit_broker.sources import pypi_errors, sdist
from mediaconduit_broker.sources.checkout import Checkout, content_hash
from mediaconduit_broker.sources.git_errors import too_slow
from mediaconduit_broker.sources.parse import PypiSource
from mediaconduit_broker.sources.sharing import Report, SharedWork
from mediaconduit_broker.sources.store import Record, Store

_log = structlog.get_logger(__name__)

_PASSED_ON: Final = re.compile(r"PATH|HOME|TMPDIR|XDG_\w+|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO)_PROXY|NETRC", re.I)


class PypiFetcher:
    """Fetches into a store, from the index uv is configured for.

    Args:
        store: Keeps what was fetched.
        environ: The broker's own variables; uv gets those that say where things are.
        timeout: Seconds a download may take.
    """

    def __init__(self, store: Store, environ: Mapping[str, str], timeout: float) -> None:
        self._store = store
        self._environ = {
            key: value for key, value in environ.items() if _PASSED_ON.fullmatch(key) or key in UV_VARIABLES
        }
        self._timeout = timeout
        self._shared: SharedWork[tuple[Path, Record]] = SharedWork()

    async def aclose(self) -> None:
        """Ends what is being fetched."""
        await self._shared.aclose()

    async def resolve(self, source: str, wanted: PypiSource, report: Report) -> Checkout:
        """The unpacked package. A version that is here needs no network.

        Raises:
            MediaConduitError: Why not.
        """
        found = None
        if wanted.version:
            found = await asyncio.to_thread(self._store.intact, wanted.origin, wanted.origin, wanted.version)
        if found is None:
            found = await self._shared.join(wanted, lambda told: self._fetch(wanted, told), report)
        folder, record = found
        return Checkout(source, record.resolved, folder, wanted.origin, tree=record.tree)

    async def _fetch(self, wanted: PypiSource, report: Report) -> tuple[Path, Record]:
        report("fetching", None)
        async with self._store.staging() as staging:
            target = staging / "package"
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._from_index(wanted, staging, target, report)
            except TimeoutError:
                raise too_slow(wanted.origin, self._timeout) from None
            except CommandFailedError as error:
                raise pypi_errors.explained(error, wanted) from None

    async def _from_index(self, wanted: PypiSource, staging: Path, target: Path, report: Report) -> tuple[Path, Record]:
        """A wheel, else what it would be built from. Neither is built, so no code of it runs."""
        requirement = f"{wanted.name}=={wanted.version}" if wanted.version else wanted.name
        try:
            await run_command(
                uv.find_uv_bin(), "pip", "install", "--directory", str(staging), "--no-deps", "--no-build",
                "--python", sys.executable, "--link-mode", "copy", "--target", str(target), "--", requirement,
                environ=self._environ,
            )  # fmt: skip
        except CommandFailedError as error:
            if not pypi_errors.has_no_wheel(error):
                raise
        else:
            return await asyncio.to_thread(self._publish, target, wanted, _arrange(target, wanted))
        report("there is no wheel: fetching the source distribution", None)
        found = await sdist.locate(wanted, staging, self._environ)
        await sdist.fetch(found, wanted, staging / "archive", self._environ)
        await asyncio.to_thread(_unpacked, staging / "archive", target, wanted)
        return await asyncio.to_thread(self._publish, target, wanted, found.version)

    def _publish(self, target: Path, wanted: PypiSource, version: str) -> tuple[Path, Record]:
        record = Record(origin=wanted.origin, version=version, tree=content_hash(target), name=wanted.name)
        return self._store.publish(target, wanted.origin, record), record


def _arrange(target: Path, wanted: PypiSource) -> str:
    """Makes a provider's folder of an unpacked wheel; gives the version."""
    metadata = next(iter(target.glob("*.dist-info/METADATA")), None)
    if metadata is None:
        raise pypi_errors.no_provider(wanted, "has no metadata")
    headers = email.parser.Parser().parsestr(metadata.read_text(encoding="utf-8", errors="replace"), headersonly=True)
    shutil.rmtree(target / "bin", ignore_errors=True)
    _bring_up_manifest(target, wanted)
    if not any((target / name).is_file() for name in ("pyproject.toml", "requirements.txt")):
        needed = sdist.requirements_of(headers)
        (target / "requirements.txt").write_text("".join(f"{line}\n" for line in needed), encoding="utf-8")
    return str(headers.get("Version", wanted.version))


def _unpacked(archive: Path, target: Path, wanted: PypiSource) -> None:
    """Makes a provider's folder of a source distribution, which is one as a repository is."""
    sdist.unpack(archive, target, wanted)
    _bring_up_manifest(target, wanted)
    sdist.state_requirements(target, wanted)


def _bring_up_manifest(target: Path, wanted: PypiSource) -> None:
    """A manifest beside the code of a package counts as one at the top."""
    if any((target / name).is_file() for name in NAMES):
        return
    inside = [path for name in NAMES for path in sorted(target.glob(f"*/{name}")) if not path.is_symlink()]
    if len(inside) != 1:
        raise pypi_errors.no_provider(wanted, "has no manifest" if not inside else f"has {len(inside)} manifests")
    shutil.copyfile(inside[0], target / inside[0].name)
