"""Fetches packages: a wheel unpacked, its manifest brought to the top, no code of it run."""

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
from mediaconduit.errors import MediaConduitError, NotFoundError, PreconditionError, Reason, UnavailableError

from mediaconduit_broker.manifest.read import NAMES
from mediaconduit_broker.runners.command import UV_VARIABLES, CommandFailedError, run_command
from mediaconduit_broker.sources.checkout import Checkout, content_hash
from mediaconduit_broker.sources.git_command import scrubbed
from mediaconduit_broker.sources.git_errors import too_slow
from mediaconduit_broker.sources.parse import PypiSource
from mediaconduit_broker.sources.sharing import Report, SharedWork
from mediaconduit_broker.sources.store import Record, Store, no_room

_log = structlog.get_logger(__name__)

_PASSED_ON: Final = re.compile(r"PATH|HOME|TMPDIR|XDG_\w+|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO)_PROXY|NETRC", re.I)
_NO_WHEEL: Final = re.compile(
    r"no usable wheels|has no wheels|no wheels with|building source distributions|--no-build", re.I
)
_MISSING: Final = re.compile(
    r"was not found in the package registry|there is no version of|not found in the|no versions of", re.I
)
_CREDENTIALS: Final = re.compile(r"\b40[13]\b|unauthorized|forbidden|authentication credentials", re.I)
_SPACE: Final = re.compile(r"no space left|disk quota", re.I)


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
            requirement = f"{wanted.name}=={wanted.version}" if wanted.version else wanted.name
            try:
                async with asyncio.timeout(self._timeout):
                    # Wheels only, of this package alone: neither building nor unpacking runs any of its code.
                    await run_command(
                        uv.find_uv_bin(), "pip", "install", "--directory", str(staging), "--no-deps", "--no-build",
                        "--python", sys.executable, "--link-mode", "copy", "--target", str(target), "--", requirement,
                        environ=self._environ,
                    )  # fmt: skip
            except TimeoutError:
                raise too_slow(wanted.origin, self._timeout) from None
            except CommandFailedError as error:
                raise _explained(error, wanted) from None
            return await asyncio.to_thread(self._publish, target, wanted)

    def _publish(self, target: Path, wanted: PypiSource) -> tuple[Path, Record]:
        version = _arrange(target, wanted)
        record = Record(origin=wanted.origin, version=version, tree=content_hash(target), name=wanted.name)
        return self._store.publish(target, wanted.origin, record), record


def _arrange(target: Path, wanted: PypiSource) -> str:
    """Makes a provider's folder of an unpacked wheel; gives the version."""
    metadata = next(iter(target.glob("*.dist-info/METADATA")), None)
    if metadata is None:
        raise _no_provider(wanted, "has no metadata")
    headers = email.parser.Parser().parsestr(metadata.read_text(encoding="utf-8", errors="replace"), headersonly=True)
    shutil.rmtree(target / "bin", ignore_errors=True)
    if not any((target / name).is_file() for name in NAMES):
        inside = [path for name in NAMES for path in sorted(target.glob(f"*/{name}")) if not path.is_symlink()]
        if len(inside) != 1:
            raise _no_provider(wanted, "has no manifest" if not inside else f"has {len(inside)} manifests")
        shutil.copyfile(inside[0], target / inside[0].name)
    if not any((target / name).is_file() for name in ("pyproject.toml", "requirements.txt")):
        needed = [line for line in headers.get_all("Requires-Dist", []) if not re.search(r";.*\bextra\b", line)]
        (target / "requirements.txt").write_text("".join(f"{line}\n" for line in needed), encoding="utf-8")
    return str(headers.get("Version", wanted.version))


def _no_provider(wanted: PypiSource, why: str) -> NotFoundError:
    return NotFoundError(
        f"{wanted.origin} is no provider: it {why}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint=f"a provider's wheel has one {NAMES[0]}, beside its code or at the top",
        metadata={"source": wanted.origin, "suggestions": ""},
    )


def _explained(error: CommandFailedError, wanted: PypiSource) -> MediaConduitError:
    text = " ".join(scrubbed(error.output).split())
    _log.info("uv failed", source=wanted.origin, code=error.returncode, text=text[-2000:])
    metadata = {"source": wanted.origin}
    named = f"{wanted.origin}=={wanted.version}" if wanted.version else wanted.origin
    if _SPACE.search(text):
        return no_room("no space left")
    if _NO_WHEEL.search(text):
        return PreconditionError(
            f"{named} has no wheel for this machine",
            reason=Reason.BUILD_FAILED,
            hint="building it would run its code; load its repository instead, or a version with a wheel",
            metadata=metadata | {"step": "fetch"},
        )
    if _CREDENTIALS.search(text):
        return PreconditionError(
            f"the package index asks for credentials for {named}",
            reason=Reason.CREDENTIALS_MISSING,
            hint="give them to uv: ~/.netrc, UV_INDEX_…_USERNAME and _PASSWORD, or a keyring",
            metadata=metadata,
        )
    if _MISSING.search(text):
        return NotFoundError(
            f"there is no package {named}",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="check name and version; the index is the one uv is configured for (UV_DEFAULT_INDEX, uv.toml)",
            metadata=metadata | {"suggestions": ""},
        )
    return UnavailableError(
        f"{named} could not be downloaded",
        reason=Reason.VENDOR_UNAVAILABLE,
        hint="check the network, the proxy and the index, then load it again",
        metadata=metadata,
    )
