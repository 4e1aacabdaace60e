"""A bare repository that lives as long as one fetch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mediaconduit_broker.sources.git_command import ATTRIBUTES, Git, OnLine

_PARTIAL: Final = """
[extensions]
\tpartialClone = origin
[remote "origin"]
\tpromisor = true
\tpartialclonefilter = blob:none
"""


class Repository:
    """What git does for one fetch.

    Args:
        git: Runs git.
        folder: Of the repository; made by `create`.
        url: Where it fetches from.
        variables: Further variables, which may hold a token.
    """

    def __init__(self, git: Git, folder: Path, url: str, variables: Mapping[str, str]) -> None:
        self._git = git
        self._folder = folder
        self._common = ("--git-dir", str(folder), "-c", f"remote.origin.url={url}")
        self._variables = {**variables, "GIT_LITERAL_PATHSPECS": "1"}

    async def create(self, commit: str, *, partial: bool) -> None:
        """Makes it. A partial one gets files only when they are written, and those of one folder alone."""
        kind = "sha256" if len(commit) == 64 else "sha1"
        await self._git.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(self._folder))
        (self._folder / "info").mkdir(exist_ok=True)
        (self._folder / "info" / "attributes").write_text(ATTRIBUTES)
        if partial:
            with (self._folder / "config").open("a") as config:
                config.write(_PARTIAL)

    async def fetch(self, wanted: str, on_line: OnLine) -> None:
        """Fetches a commit or a refspec, without its history."""
        await self._run(
            "fetch", "--depth=1", "--no-tags", "--no-recurse-submodules", "--progress",
            "origin", wanted, on_line=on_line,
        )  # fmt: skip

    async def parse(self, name: str) -> str:
        """The hash of a name git understands."""
        return (await self._run("rev-parse", "--verify", "--end-of-options", name)).decode().strip()

    async def files(self, commit: str) -> list[str]:
        """Paths of all files."""
        output = await self._run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        return [path.decode("utf-8", "surrogateescape") for path in output.split(b"\0") if path]

    async def write(self, tree: str, folder: Path) -> None:
        """Writes a tree's files out as they are, without filters, hooks or attributes."""
        folder.mkdir()  # noqa: ASYNC240  # of no weight
        await self._run("--work-tree", str(folder), "read-tree", "-m", "-u", tree)

    async def _run(self, *arguments: str, on_line: OnLine = lambda line: None) -> bytes:
        return await self._git.run(*self._common, *arguments, variables=self._variables, on_line=on_line)
