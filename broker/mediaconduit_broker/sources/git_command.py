"""Calls git: without a shell, without a terminal, and without anything a repository could make it run."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from mediaconduit import tasks
from mediaconduit.errors import PreconditionError, Reason

_PASSED_ON: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO)_PROXY"
    r"|SSH_AUTH_SOCK|GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_COMMAND|SSL_\w+|HTTP_PROXY_AUTHMETHOD)"
    r"|GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)",
    re.I,
)
"""Where things are and how git reaches servers and credentials. No key of a vendor is among them."""

_OPTIONS: Final[Mapping[str, str]] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.protectNTFS": "true",
    "core.protectHFS": "true",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    # Only rewriting, by this configuration or git's own, leads to these two.
    "protocol.http.allow": "always",
    "protocol.file.allow": "always",
    "protocol.ext.allow": "never",
    "protocol.version": "2",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.bundleURI": "false",
    "credential.interactive": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "filter.lfs.smudge": "",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
    "init.defaultBranch": "main",
}

ATTRIBUTES: Final = "* -filter -text -ident -eol -working-tree-encoding -export-subst\n"
"""For $GIT_DIR/info/attributes, which wins over a repository's own: its files come out byte by byte."""

_KEPT_BYTES: Final = 16 * 1024 * 1024
_KEPT_ERROR: Final = 16 * 1024
_CREDENTIALS: Final = re.compile(r"://[^/\s@']+@")

OnLine = Callable[[str], None]


class GitFailedError(Exception):
    """git ended with another code than 0."""

    def __init__(self, returncode: int, text: str) -> None:
        super().__init__(f"git ended with code {returncode}")
        self.returncode = returncode
        self.text = text
        """What it wrote to stderr, without credentials. For logs and to tell errors apart, not for people."""


class Git:
    """Runs git.

    Args:
        environ: The broker's own variables; git gets those in `_PASSED_ON`.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        kept = {key: value for key, value in environ.items() if _PASSED_ON.fullmatch(key)}
        self._environ = kept | {
            "GIT_TERMINAL_PROMPT": "0",
            "GCM_INTERACTIVE": "never",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }
        self._options = [word for key, value in _OPTIONS.items() for word in ("-c", f"{key}={value}")]

    async def run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        on_line: OnLine = lambda line: None,
    ) -> bytes:
        """What it wrote to stdout, its last 16 MiB.

        Args:
            arguments: Subcommand and arguments.
            variables: Further variables of this call.
            on_line: Gets every line of stderr, those of progress bars too.

        Raises:
            GitFailedError: It failed.
            PreconditionError: There is no git.
        """
        process = await self._start(arguments, variables or {})
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.TaskGroup() as group:
                output = group.create_task(_all(process.stdout))
                error = group.create_task(_lines(process.stderr, on_line))
            code = await process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await tasks.shielded(process.wait(), timeout=5, name="reap git")
            raise
        if code != 0:
            raise GitFailedError(code, scrubbed(error.result()))
        return output.result()

    def with_header(self, url: str, token: str) -> dict[str, str]:
        """Variables that make git send a token to the host of a URL alone; arguments would be there for all to see."""
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http"):
            return {}
        count = int(self._environ.get("GIT_CONFIG_COUNT", "0") or 0)
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
            f"GIT_CONFIG_VALUE_{count}": f"Authorization: Basic {basic}",
        }

    async def _start(self, arguments: Sequence[str], variables: Mapping[str, str]) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                "git",
                *self._options,
                *arguments,
                env=self._environ | dict(variables),
                cwd="/",  # a repository around the broker's own folder is none of its business
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # no terminal to ask at, and one group to end
            )
        except FileNotFoundError:
            raise PreconditionError(
                "there is no git on this machine",
                reason=Reason.BUILD_FAILED,
                hint="install it (Debian: apt install git); version 2.30 or newer",
                metadata={"step": "fetch"},
            ) from None


def scrubbed(text: str) -> str:
    """Without what may be a password in a URL."""
    return _CREDENTIALS.sub("://", text)


async def _all(stream: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(65536):
        kept += chunk
        del kept[:-_KEPT_BYTES]
    return bytes(kept)


async def _lines(stream: asyncio.StreamReader, on_line: OnLine) -> str:
    kept = rest = ""
    while chunk := await stream.read(65536):
        text = chunk.decode("utf-8", "replace")
        kept = (kept + text)[-_KEPT_ERROR:]
        *lines, rest = re.split(r"[\r\n]", rest + text)
        rest = rest[-_KEPT_ERROR:]
        for line in lines:
            on_line(line)
    return kept
