"""May code from there run here? Asked before anything is fetched."""

from __future__ import annotations

import ipaddress
import os
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.sources.folders import catalog
from mediaconduit_broker.sources.parse import FolderSource, parse
from mediaconduit_broker.trust.allowed import AllowedFile
from mediaconduit_broker.trust.patterns import Pattern, parse_pattern
from mediaconduit_broker.trust.place import Place, place_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and why."""

    allowed: bool
    why: str
    """"the pattern github:acme/*", "a folder of your own"; of a refusal, what stands against it."""


class TrustPolicy:
    """The allow-list of one broker.

    Args:
        allow: Patterns of the configuration, beside the pinned ``catalog``.
        stored: Patterns added at the command line.
        own_folders: Whether folders of the broker's own user may be loaded by whoever may call it.
        default_state: Whether `stored` is where `mediaconduit trust` writes without being told.
    """

    def __init__(
        self, allow: Sequence[str], stored: AllowedFile, *, own_folders: bool, default_state: bool = True
    ) -> None:
        self._allow = tuple(parse_pattern(text, f"trust.allow[{at}]") for at, text in enumerate(allow))
        self._stored = stored
        self.own_folders = own_folders
        self._state_option = "" if default_state else " --state-dir FOLDER"

    def check(self, source: str, *, base: Path, by_operator: bool = False) -> None:
        """Passes when a source's code may run.

        Args:
            source: As asked for.
            base: Folder that relative ones start from.
            by_operator: The configuration or the owner of the state folder names it, not a caller.

        Raises:
            PreconditionError: SOURCE_NOT_TRUSTED with the command that would allow it.
            InvalidRequestError: It is no source.
        """
        place, folder = _located(source, base)
        verdict = self._judge(place, folder, by_operator)
        if not verdict.allowed:
            raise self._refused(source, place, verdict)

    def patterns(self) -> tuple[tuple[str, str], ...]:
        """All that is allowed, as (pattern, where it stands)."""
        configured = tuple((pattern.text, "config") for pattern in self._allow)
        stored = tuple((pattern.text, "command line") for pattern in self._stored.read())
        return (("catalog", "built in"), *configured, *stored)

    def _judge(self, place: Place, folder: Path | None, by_operator: bool) -> Verdict:
        if place.kind == "catalog":
            return Verdict(True, "a bundled provider")
        for pattern in (*self._allow, *self._stored.read()):
            if _real(pattern).allows(place):
                return Verdict(True, f"the pattern {pattern.text}")
        if folder is None:
            return Verdict(False, "no pattern allows code from there")
        if by_operator:
            return Verdict(True, "a folder the configuration names")
        if not self.own_folders:
            return Verdict(
                False, "others than this machine's users reach this broker, so folders are allowed one by one"
            )
        return _ownership(folder)

    def _refused(self, source: str, place: Place, verdict: Verdict) -> PreconditionError:
        pattern = str(Place(place.kind, place.authority, place.path))
        command = f"mediaconduit trust add {quoted(pattern)}{self._state_option}"
        return PreconditionError(
            f"{_short(source)} is not trusted: {verdict.why}",
            reason=Reason.SOURCE_NOT_TRUSTED,
            hint=f'when you trust its code, run `{command}` as the broker\'s user, or add "{pattern}" '
            "to allow in [trust] of its config",
            metadata={"source": source, "how_to_allow": command},
        )


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches an address "host:port"."""
    host = listen.rpartition(":")[0].strip("[]").lower()
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def quoted(pattern: str) -> str:
    """A pattern as a shell passes it on."""
    return shlex.quote(pattern)


def _located(source: str, base: Path) -> tuple[Place, Path | None]:
    """The place of a source; of a folder the real one, since a link shows another name than it means."""
    wanted = parse(source)
    if not isinstance(wanted, FolderSource):
        return place_of(wanted), None
    folder = Path(os.path.realpath(base / os.path.expanduser(wanted.path)))
    if folder in {path.resolve() for path in catalog().values()}:
        return Place("catalog"), folder
    return place_of(FolderSource(str(folder))), folder


def _real(pattern: Pattern) -> Pattern:
    """A folder's pattern with the links in its fixed part followed, as those of the source are."""
    place = pattern.place
    if place.kind != "file":
        return pattern
    fixed = next((at for at, name in enumerate(place.path) if "*" in name), len(place.path))
    real = os.path.realpath("/" + "/".join(place.path[:fixed])).strip("/")
    head = tuple(real.split("/")) if real else ()
    return Pattern(pattern.text, Place("file", path=(*head, *place.path[fixed:])))


def _ownership(folder: Path) -> Verdict:
    """Allows a folder that nobody but the broker's user and root can put code into."""
    mine = {os.geteuid(), 0}
    for path in (folder, *folder.parents):
        try:
            status = path.stat()
        except OSError:
            return Verdict(True, "there is nothing there")  # who looks for it says so better
        if status.st_uid not in mine:
            return Verdict(False, f"{'it' if path == folder else 'a folder above it'} belongs to another user")
        shared = status.st_mode & stat.S_IWOTH and not (path != folder and status.st_mode & stat.S_ISVTX)
        if shared:
            return Verdict(False, f"every user may write to {'it' if path == folder else 'a folder above it'}")
    return Verdict(True, "a folder of the broker's own user")


def _short(source: str) -> str:
    return source if len(source) <= 200 else source[:199] + "…"
