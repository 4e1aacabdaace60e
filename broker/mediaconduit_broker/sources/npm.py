"""Fetches packages from an npm registry: the archive unpacked, no code of it run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from mediaconduit.errors import MediaConduitError, NotFoundError, PreconditionError, Reason, UnavailableError

from mediaconduit_broker.runners.command import CommandFailedError, run_command
from mediaconduit_broker.sources.checkout import Checkout, content_hash
from mediaconduit_broker.sources.git_command import scrubbed
from mediaconduit_broker.sources.git_errors import too_slow
from mediaconduit_broker.sources.parse import NpmSource
from mediaconduit_broker.sources.sharing import Report, SharedWork
from mediaconduit_broker.sources.store import Record, Store, no_room

_log = structlog.get_logger(__name__)

_PASSED_ON: Final = re.compile(
    r"PATH|HOME|TMPDIR|XDG_\w+|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO)_PROXY|"
    r"NPM_CONFIG_(?:REGISTRY|CACHE|USERCONFIG|GLOBALCONFIG)",
    re.I,
)
_EXACT: Final = re.compile(r"\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_MISSING: Final = re.compile(r"\b(E404|ETARGET|ENOVERSIONS)\b")
_CREDENTIALS: Final = re.compile(r"\b(E401|E403|ENEEDAUTH)\b")
_SPACE: Final = re.compile(r"\bENOSPC\b|no space left", re.I)
_LARGEST: Final = 1024 * 1024 * 1024
"""Bytes of an unpacked package."""


class NpmFetcher:
    """Fetches into a store, from the registry npm is configured for.

    Args:
        store: Keeps what was fetched.
        environ: The broker's own variables; npm gets those that say where things are.
        timeout: Seconds a download may take.
    """

    def __init__(self, store: Store, environ: Mapping[str, str], timeout: float) -> None:
        self._store = store
        self._environ = {key: value for key, value in environ.items() if _PASSED_ON.fullmatch(key)}
        self._timeout = timeout
        self._shared: SharedWork[tuple[Path, Record]] = SharedWork()

    async def aclose(self) -> None:
        """Ends what is being fetched."""
        await self._shared.aclose()

    async def resolve(self, source: str, wanted: NpmSource, report: Report) -> Checkout:
        """The unpacked package. A version that is here needs no network.

        Raises:
            MediaConduitError: Why not.
        """
        found = None
        if _EXACT.fullmatch(wanted.version):
            found = await asyncio.to_thread(self._store.intact, wanted.origin, wanted.origin, wanted.version)
        if found is None:
            found = await self._shared.join(wanted, lambda told: self._fetch(wanted, told), report)
        folder, record = found
        return Checkout(source, record.resolved, folder, wanted.origin, tree=record.tree)

    async def _fetch(self, wanted: NpmSource, report: Report) -> tuple[Path, Record]:
        report("fetching", None)
        npm = shutil.which("npm", path=self._environ.get("PATH", os.defpath))
        if npm is None:
            raise PreconditionError(
                f"fetching {wanted.origin} takes npm, which is not on this machine",
                reason=Reason.BUILD_FAILED,
                hint="install Node.js 20 or later where the broker's PATH finds it",
                metadata={"step": "fetch"},
            )
        async with self._store.staging() as staging:
            try:
                async with asyncio.timeout(self._timeout):
                    # An archive of a registry is downloaded and checked; none of its scripts runs.
                    await run_command(
                        npm, "pack", f"{wanted.name}@{wanted.version or 'latest'}", "--ignore-scripts",
                        "--pack-destination", str(staging), "--loglevel=error", "--no-update-notifier",
                        environ=self._environ, folder=staging,
                    )  # fmt: skip
            except TimeoutError:
                raise too_slow(wanted.origin, self._timeout) from None
            except CommandFailedError as error:
                raise _explained(error, wanted) from None
            return await asyncio.to_thread(self._publish, staging, wanted)

    def _publish(self, staging: Path, wanted: NpmSource) -> tuple[Path, Record]:
        target = staging / "package"
        archive = next(iter(staging.glob("*.tgz")), None)
        if archive is None:
            raise _no_provider(wanted, "has no archive")
        _unpack(archive, target, wanted)
        archive.unlink()
        try:
            version = str(json.loads((target / "package.json").read_text(encoding="utf-8-sig"))["version"])
        except (OSError, ValueError, KeyError, TypeError):
            raise _no_provider(wanted, "has no package.json with a version") from None
        if not _EXACT.fullmatch(version):
            raise _no_provider(wanted, "has a version that is none")
        name = wanted.name.rpartition("/")[2]
        record = Record(origin=wanted.origin, version=version, tree=content_hash(target), name=name)
        return self._store.publish(target, wanted.origin, record), record


def _unpack(archive: Path, target: Path, wanted: NpmSource) -> None:
    """Everything below the archive's one top folder, as files that cannot leave the target."""
    target.mkdir()
    size = 0
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                size += member.size
                if size > _LARGEST:
                    raise _no_provider(wanted, "is larger than 1 GiB unpacked")
                _, _, member.name = member.name.partition("/")
                if member.name:
                    packed.extract(member, target, filter="data")
    except (tarfile.TarError, EOFError, ValueError):
        raise _no_provider(wanted, "is no archive that can be unpacked") from None


def _no_provider(wanted: NpmSource, why: str) -> NotFoundError:
    return NotFoundError(
        f"{wanted.origin} is no provider: it {why}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint="a provider's package has MediaConduit.provider.yml at its top",
        metadata={"source": wanted.origin, "suggestions": ""},
    )


def _explained(error: CommandFailedError, wanted: NpmSource) -> MediaConduitError:
    text = " ".join(scrubbed(error.output).split())
    _log.info("npm failed", source=wanted.origin, code=error.returncode, text=text[-2000:])
    metadata = {"source": wanted.origin}
    named = f"{wanted.origin}@{wanted.version}" if wanted.version else wanted.origin
    if _SPACE.search(text):
        return no_room("no space left")
    if _CREDENTIALS.search(text):
        return PreconditionError(
            f"the package registry asks for credentials for {named}",
            reason=Reason.CREDENTIALS_MISSING,
            hint="give them to npm: `npm login`, or ~/.npmrc",
            metadata=metadata,
        )
    if _MISSING.search(text):
        return NotFoundError(
            f"there is no package {named}",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="check name and version; the registry is the one npm is configured for (~/.npmrc)",
            metadata=metadata | {"suggestions": ""},
        )
    return UnavailableError(
        f"{named} could not be downloaded",
        reason=Reason.VENDOR_UNAVAILABLE,
        hint="check the network, the proxy and the registry, then load it again",
        metadata=metadata,
    )
