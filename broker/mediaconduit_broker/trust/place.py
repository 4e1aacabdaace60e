"""Where a source's code comes from, in the one form that patterns are compared with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from mediaconduit.errors import InvalidRequestError

from mediaconduit_broker.sources.parse import CatalogSource, FolderSource, GitSource, NpmSource, PypiSource, Source

_DEFAULT_PORT: Final = {"https": ":443", "ssh": ":22"}
_SCP: Final = re.compile(r"([^/@:]+@[^/:]+):(.+)", re.S)
_URL: Final = re.compile(r"(https|ssh)://([^/]+)/(.+)", re.S)
_GITHUB: Final = frozenset({("https", "github.com"), ("ssh", "git@github.com"), ("scp", "git@github.com")})


@dataclass(frozen=True, slots=True)
class Place:
    """A place that code comes from, without a version."""

    kind: str
    """"catalog", "file", "github", "https", "ssh", "scp", "pypi" or "npm"."""
    authority: str = ""
    """Host as git is given it: "git.example.com:8443", "git@example.com"."""
    path: tuple[str, ...] = ()
    """Folders from there: owner and name on GitHub, in lower case; a package's normalised name, its scope first."""
    subdir: tuple[str, ...] = ()
    """The provider's folder inside the repository."""

    def __str__(self) -> str:
        path = "/".join(self.path)
        below = "//" + "/".join(self.subdir) if self.subdir else ""
        match self.kind:
            case "catalog":
                return "catalog"
            case "file":
                return f"file:/{path}"
            case "github" | "pypi" | "npm":
                return f"{self.kind}:{path}{below}"
            case "scp":
                return f"{self.authority}:{path}{below}"
        return f"{self.kind}://{self.authority}/{path}{below}"


def place_of(source: Source) -> Place:
    """The place of a source that was read; a folder's path must be absolute and without links.

    Raises:
        InvalidRequestError: Its path could mean another place to the server than it shows here.
    """
    match source:
        case CatalogSource():
            return Place("catalog")
        case PypiSource():
            return Place("pypi", path=(source.name,))
        case NpmSource():
            return Place("npm", path=tuple(source.name.split("/")))
        case FolderSource():
            return Place("file", path=_plain(source.path.strip("/"), escaped=False))
        case GitSource():
            # What a ref and a folder written as "/tree/…" mean, only the repository knows.
            return repository(source.repository, source.subdir)


def repository(url: str, subdir: str = "") -> Place:
    """The place of a git repository: "github:o/r", "https://host/o/r", "git@host:o/r".

    Raises:
        InvalidRequestError: As `place_of`.
    """
    below = _plain(subdir) if subdir else ()
    if url.startswith("github:"):
        return Place("github", path=_plain(url.removeprefix("github:").lower()), subdir=below)
    if match := _URL.fullmatch(url):
        kind, authority, path = match.groups()
        authority = authority.lower().removesuffix(_DEFAULT_PORT[kind])
    elif match := _SCP.fullmatch(url):
        kind, (authority, path) = "scp", match.groups()
        user, _, host = authority.rpartition("@")
        authority = f"{user}@{host.lower()}"
    else:
        raise _unclear()
    segments = _plain(path.removesuffix(".git"), rooted=kind == "scp")
    if (kind, authority) in _GITHUB and len(segments) == 2:
        return Place("github", path=tuple(segment.lower() for segment in segments), subdir=below)
    return Place(kind, authority, segments, below)


def _plain(path: str, *, escaped: bool = True, rooted: bool = False) -> tuple[str, ...]:
    """The folders of a path, none of which means another to whoever decodes or normalises it.

    With `rooted`, a path that begins with "/" begins with an empty folder: to ssh it is another than one that does not.
    """
    segments = tuple(path.rstrip("/").split("/"))
    checked = segments[1:] if rooted and segments[0] == "" and len(segments) > 1 else segments
    for segment in checked:
        meant = unquote(segment) if escaped else segment
        odd = not meant.isprintable() or (escaped and (set(meant) & set("/\\%") or meant != meant.strip()))
        if meant in ("", ".", "..") or odd:
            raise _unclear()
    return segments


def _unclear() -> InvalidRequestError:
    return InvalidRequestError.at(
        "source", "its path is not written plainly", hint="write it without . and .., empty folders and %2F or %2E"
    )
