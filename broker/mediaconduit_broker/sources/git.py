"""Fetches folders of git repositories: one commit, as few bytes as the server allows, no code of it run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from mediaconduit.errors import NotFoundError, Reason, UnavailableError

from mediaconduit_broker.manifest.read import NAMES
from mediaconduit_broker.sources.checkout import Checkout
from mediaconduit_broker.sources.git_command import Git, GitFailedError
from mediaconduit_broker.sources.git_errors import explained, missing_commit, no_such_commit, too_slow
from mediaconduit_broker.sources.git_repository import Repository
from mediaconduit_broker.sources.parse import GitSource, is_whole_commit
from mediaconduit_broker.sources.refs import Choice, choose, parse_refs
from mediaconduit_broker.sources.sharing import Report, SharedWork
from mediaconduit_broker.sources.store import Record, Store, folder_name

_AT_ONCE: Final = 8
_SHOWN: Final = 8
_PROGRESS: Final = re.compile(r"Receiving objects:\s+(\d+)%")

Token = Callable[[str], Awaitable[str | None]]
"""The token for a URL, if there is one."""


class GitFetcher:
    """Fetches into a store.

    Args:
        git: Runs git.
        store: Keeps what was fetched.
        rewrite: Mirrors: beginnings of URLs and what to put in their place; the longest counts.
        token: Asked for every URL.
        timeout: Seconds that listing or fetching may take.
    """

    def __init__(self, git: Git, store: Store, rewrite: Mapping[str, str], token: Token, timeout: float) -> None:
        self._git = git
        self._store = store
        self._rewrite = rewrite
        self._token = token
        self._timeout = timeout
        self._shared: SharedWork[Checkout] = SharedWork()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def aclose(self) -> None:
        """Ends what is being fetched."""
        await self._shared.aclose()

    async def resolve(self, source: str, wanted: GitSource, report: Report) -> Checkout:
        """The checkout of a source, fetched unless it is here. A named commit that is here needs no network.

        Raises:
            MediaConduitError: Why not.
        """
        choice = await self._choice(wanted, report)
        origin = f"{wanted.repository}//{choice.subdir}" if choice.subdir else wanted.repository
        key = (origin, choice.commit)
        checkout = await self._shared.join(key, lambda told: self._checkout(wanted, origin, choice, told), report)
        return Checkout(source, checkout.resolved, checkout.folder, origin, checkout.commit, choice.ref, checkout.tree)

    async def _choice(self, wanted: GitSource, report: Report) -> Choice:
        if is_whole_commit(wanted.ref) and not wanted.tree:
            return Choice(wanted.ref, subdir=wanted.subdir)
        report("fetching", None)
        which = ("--heads", "--tags") if wanted.ref or wanted.tree else ()
        url, variables = await self._reach(wanted)
        heads = () if which else ("HEAD",)
        output = await self._bounded(wanted, "ls-remote", "--symref", *which, "--", url, *heads, variables=variables)
        known = await asyncio.to_thread(self._store.versions, wanted.repository)
        return choose(wanted, parse_refs(output.decode("utf-8", "replace")), known)

    async def _checkout(self, wanted: GitSource, origin: str, choice: Choice, report: Report) -> Checkout:
        found = await asyncio.to_thread(self._store.intact, wanted.repository, origin, choice.commit)
        if found is None:
            try:
                async with self._turns, asyncio.timeout(self._timeout):
                    found = await self._fetch(wanted, origin, choice, report)
            except TimeoutError:
                raise too_slow(wanted.repository, self._timeout) from None
            except GitFailedError as error:
                raise explained(error, wanted.repository) from None
        folder, record = found
        return Checkout(record.resolved, record.resolved, folder, origin, record.version, choice.ref, record.tree)

    async def _fetch(self, wanted: GitSource, origin: str, choice: Choice, report: Report) -> tuple[Path, Record]:
        report("fetching", 0.0)
        async with self._store.staging() as staging:
            repository = Repository(self._git, staging / "repo.git", *await self._reach(wanted))
            await repository.create(choice.commit, partial=bool(choice.subdir))
            commit = await self._download(repository, wanted, choice, report)
            tree = await self._tree(repository, wanted.repository, commit, choice.subdir)
            report("fetching", 1.0)
            await repository.write(tree, staging / "tree")
            record = Record(origin=origin, version=commit, tree=tree, name=folder_name(origin))
            folder = await asyncio.to_thread(self._store.publish, staging / "tree", wanted.repository, record)
            return folder, record

    async def _download(self, repository: Repository, wanted: GitSource, choice: Choice, report: Report) -> str:
        """Fetches the commit by itself; where the server gives out only refs, by its ref."""

        def on_line(line: str) -> None:
            if match := _PROGRESS.match(line):
                report("fetching", int(match[1]) / 100)

        try:
            await repository.fetch(choice.commit, on_line)
            return await repository.parse(f"{choice.commit}^{{commit}}")
        except GitFailedError as error:
            if not no_such_commit(error):
                raise
        if not choice.ref:
            raise missing_commit(wanted.repository, choice.commit)
        await repository.fetch(f"{choice.ref}:refs/fetched", on_line)
        commit = await repository.parse("refs/fetched^{commit}")
        if commit != choice.commit:
            raise UnavailableError(
                f"{choice.ref} of {wanted.repository} moved while it was fetched",
                reason=Reason.VENDOR_UNAVAILABLE,
                hint="load it again",
            )
        return commit

    async def _tree(self, repository: Repository, name: str, commit: str, subdir: str) -> str:
        """Hash of the wanted folder's tree. A folder without a manifest names those that have one."""
        files = await repository.files(commit)
        folders = {str(PurePosixPath(file).parent) for file in files if PurePosixPath(file).name in NAMES}
        if folders and (subdir or ".") not in folders:
            near = sorted(folders)[:_SHOWN]
            where = f"folder {subdir!r} of {name}" if subdir else name
            raise NotFoundError(
                f"{where} is no provider: it has no {NAMES[0]}",
                reason=Reason.SOURCE_NOT_FOUND,
                hint="these have one: " + ", ".join(name if path == "." else f"{name}//{path}" for path in near),
                metadata={"source": name, "suggestions": ",".join(near)},
            )
        try:
            found = await repository.parse(f"{commit}:{subdir}") if subdir else commit
            return await repository.parse(f"{found}^{{tree}}")  # which a link or a file is not
        except GitFailedError:
            raise NotFoundError(
                f"{name} has no folder {subdir!r} at {commit[:12]}",
                reason=Reason.SOURCE_NOT_FOUND,
                hint="check the folder after //",
                metadata={"source": name, "suggestions": ""},
            ) from None

    async def _reach(self, wanted: GitSource) -> tuple[str, Mapping[str, str]]:
        """URL and variables to reach a repository with."""
        url = rewritten(wanted.url, self._rewrite)
        token = await self._token(url)
        return url, self._git.with_header(url, token) if token else {}

    async def _bounded(self, wanted: GitSource, *arguments: str, variables: Mapping[str, str]) -> bytes:
        try:
            async with self._turns, asyncio.timeout(self._timeout):
                return await self._git.run(*arguments, variables=variables)
        except TimeoutError:
            raise too_slow(wanted.repository, self._timeout) from None
        except GitFailedError as error:
            raise explained(error, wanted.repository) from None


def rewritten(url: str, rewrite: Mapping[str, str]) -> str:
    """The URL with its longest beginning that is in the table replaced."""
    prefix = max((known for known in rewrite if known and url.startswith(known)), key=len, default="")
    return rewrite[prefix] + url.removeprefix(prefix) if prefix else url
