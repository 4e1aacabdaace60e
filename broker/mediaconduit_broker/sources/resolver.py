"""Turns sources into folders on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from mediaconduit_broker.sources.checkout import Checkout
from mediaconduit_broker.sources.folders import resolve_folder
from mediaconduit_broker.sources.git import GitFetcher, Token
from mediaconduit_broker.sources.git_command import Git
from mediaconduit_broker.sources.npm import NpmFetcher
from mediaconduit_broker.sources.parse import GitSource, NpmSource, PypiSource, Source, parse
from mediaconduit_broker.sources.pypi import PypiFetcher
from mediaconduit_broker.sources.sharing import Report, SharedWork, silent
from mediaconduit_broker.sources.store import Store

UNUSED_SECONDS: Final = 7 * 24 * 3600.0
"""How long code is kept that no provider is made of any more."""


async def no_token(url: str) -> str | None:
    """Where git's own credentials are all there is."""
    return None


class Sources:
    """Resolves sources. Concurrent requests for one do the work once; `aclose` ends it.

    Args:
        root: Folder that fetched code is kept in. Several processes may share it.
        environ: The broker's own variables; git and uv get those that say where things are.
        base: Where relative folders begin.
        rewrite: Mirrors for git: beginnings of URLs and what to put in their place.
        token: Gives the token for the URL of a private repository.
        timeout: Seconds one fetch may take.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        base: Path,
        rewrite: Mapping[str, str] | None = None,
        token: Token = no_token,
        timeout: float = 120.0,
    ) -> None:
        self._base = base
        self._store = Store(root)
        self._git = GitFetcher(Git(environ), self._store, rewrite or {}, token, timeout)
        self._pypi = PypiFetcher(self._store, environ, timeout)
        self._npm = NpmFetcher(self._store, environ, timeout)
        self._shared: SharedWork[Checkout] = SharedWork()

    async def aclose(self) -> None:
        """Ends what is being fetched."""
        await self._shared.aclose()
        await self._git.aclose()
        await self._pypi.aclose()
        await self._npm.aclose()

    async def resolve(self, source: str, *, pinned: str = "", report: Report = silent) -> Checkout:
        """The checkout of a source, fetched unless it is here.

        Args:
            source: As people write it; see `mediaconduit_broker.sources.parse`.
            pinned: What it was resolved to before (`Checkout.resolved`). That very version is given again, without any
                network where it is still here. Ignored when it is not of this source.
            report: Told how far it is.

        Raises:
            InvalidRequestError: It is no source.
            NotFoundError: SOURCE_NOT_FOUND: there is no such repository, ref, folder or package; the nearest are named.
            PreconditionError: CREDENTIALS_MISSING, SOURCE_NOT_TRUSTED (a link leads out of it), BUILD_FAILED.
            UnavailableError: VENDOR_UNAVAILABLE: the server cannot be reached.
            CallTimeoutError: VENDOR_TIMEOUT.
        """
        wanted = parse(source)
        if (
            pinned
            and isinstance(wanted, GitSource | PypiSource | NpmSource)
            and _same_place(wanted, exact := parse(pinned))
        ):
            wanted = exact
        return await self._shared.join((source, wanted), lambda told: self._resolve(source, wanted, told), report)

    def has(self, resolved: str) -> bool:
        """Whether this very version (`Checkout.resolved`) is here, so that nothing need be fetched. Reads files."""
        exact = parse(resolved)
        if isinstance(exact, GitSource):
            return self._store.find(exact.repository, exact.origin, exact.ref) is not None
        if isinstance(exact, PypiSource | NpmSource):
            return self._store.find(exact.origin, exact.origin, exact.version) is not None
        return True

    def collect(self, keep: Collection[str], unused_seconds: float = UNUSED_SECONDS) -> int:
        """Removes fetched code that nobody has asked for in that time, but for `keep` (`Checkout.resolved`)."""
        return self._store.collect(keep, unused_seconds)

    async def _resolve(self, source: str, wanted: Source, report: Report) -> Checkout:
        if isinstance(wanted, GitSource):
            return await self._git.resolve(source, wanted, report)
        if isinstance(wanted, PypiSource):
            return await self._pypi.resolve(source, wanted, report)
        if isinstance(wanted, NpmSource):
            return await self._npm.resolve(source, wanted, report)
        return await asyncio.to_thread(resolve_folder, wanted, source, base=self._base)


def _same_place(wanted: Source, exact: Source) -> bool:
    if isinstance(wanted, GitSource) and isinstance(exact, GitSource):
        return wanted.repository == exact.repository and (bool(wanted.tree) or wanted.subdir == exact.subdir)
    if isinstance(wanted, NpmSource) and isinstance(exact, NpmSource):
        return wanted.name == exact.name
    return isinstance(wanted, PypiSource) and isinstance(exact, PypiSource) and wanted.name == exact.name
