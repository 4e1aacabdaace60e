"""Reads a source's text. Pure: nothing is looked up, and what passes is safe to hand to a program.

| text | what |
|---|---|
| ``cowsay`` | a bundled provider |
| ``./cow``, ``/srv/cow``, ``~/cow``, ``owner/name``, ``file:///srv/cow`` | a folder |
| ``github:o/r``, ``github:o/r//sub@ref`` | a repository on GitHub |
| ``https://github.com/o/r[.git][/tree/ref/sub/path][@ref]`` | the same, as in a browser |
| ``https://host/path[//sub][@ref]``, ``ssh://…``, ``git@host:path…`` | any git repository |
| ``pypi:name``, ``pypi:name==1.0`` | a package |
| ``npm:name``, ``npm:@scope/name@1.0.0``, ``@scope/name@1.0.0`` | a package of npm |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from mediaconduit.errors import InvalidRequestError

_LONGEST: Final = 2048
_LONGEST_NPM: Final = 214 + 100
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.S)
_SCP: Final = re.compile(r"([A-Za-z0-9_][\w.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!//)(.+)")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_REPOSITORY: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")
_PROJECT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
_NPM: Final = re.compile(r"((?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)(?:@([A-Za-z0-9^~][A-Za-z0-9.^~+-]*))?")
_BAD_IN_REF: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.(?:$|/)|\.lock(?:$|/)|/$|^/|^-|^@$")
_COMMIT: Final = re.compile(r"[0-9a-f]{4,40}|[0-9a-f]{64}")
_FORMS: Final = "write it as github:owner/name@ref, https://host/path@ref, pypi:name==version or a folder"


@dataclass(frozen=True, slots=True)
class CatalogSource:
    """A bundled provider's name."""

    name: str


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder. Relative ones start where the broker does."""

    path: str


@dataclass(frozen=True, slots=True)
class PypiSource:
    """A package; an empty version means the newest."""

    name: str
    """Normalised."""
    version: str = ""

    @property
    def origin(self) -> str:
        """Without the version."""
        return f"pypi:{self.name}"


@dataclass(frozen=True, slots=True)
class NpmSource:
    """A package of npm; an empty version means the newest."""

    name: str
    """With its scope: "@acme/cow"."""
    version: str = ""
    """A version, a tag or a range."""

    @property
    def origin(self) -> str:
        """Without the version."""
        return f"npm:{self.name}"


@dataclass(frozen=True, slots=True)
class GitSource:
    """A folder of a git repository at a ref."""

    url: str
    """For git: "https://github.com/o/r.git", "git@host:o/r"."""
    repository: str
    """The same for every way of writing it: "github:o/r", "https://host/o/r"."""
    ref: str = ""
    """Branch, tag or commit; empty = where HEAD points."""
    subdir: str = ""
    """"" = the whole repository."""
    tree: str = ""
    """"feature/x/sub": a ref and then a folder. Only the repository knows where the one ends."""

    @property
    def origin(self) -> str:
        """Repository and folder, without the ref."""
        return f"{self.repository}//{self.subdir}" if self.subdir else self.repository


Source: TypeAlias = CatalogSource | FolderSource | PypiSource | NpmSource | GitSource


def parse(source: str) -> Source:
    """What a source's text means.

    Raises:
        InvalidRequestError: INPUT_INVALID, field "source": it is no source, or not a safe one.
    """
    if not source or len(source) > _LONGEST or _CONTROL.search(source):
        raise _invalid("is empty, too long or holds control characters")
    if match := _SCP.fullmatch(source):
        user, host, rest = match.groups()
        return _repository(f"{user}@{host.lower()}:", rest)
    if match := _SCHEME.fullmatch(source):
        return _with_scheme(match[1].lower(), match[2], source)
    if _NAME.fullmatch(source):
        return CatalogSource(source)
    if source.startswith("@") and _NPM.fullmatch(source):
        return _npm(source)
    if source.startswith("-"):
        raise _invalid("begins with '-'", hint="a folder of that name is written ./-name")
    if "/" in source or source.startswith((".", "~")):
        return FolderSource(source)
    raise _invalid("is neither a name nor a folder nor a URL")


def is_commit(text: str) -> bool:
    """Whether this may be the beginning of a commit's hash, or all of it."""
    return _COMMIT.fullmatch(text.lower()) is not None


def is_whole_commit(text: str) -> bool:
    """Whether this is a commit's whole hash."""
    return len(text) in (40, 64) and is_commit(text)


def _with_scheme(scheme: str, rest: str, source: str) -> Source:
    match scheme:
        case "file":
            return _folder(rest)
        case "github":
            return _github(rest)
        case "pypi":
            return _pypi(rest)
        case "npm":
            return _npm(rest)
        case "https" | "ssh" if rest.startswith("//"):
            return _url(scheme, rest[2:])
        case "http" | "git":
            raise _invalid(
                f"{scheme}:// is neither private nor signed",
                hint="use https:// or ssh://; a mirror inside your network can stand in the table [sources.rewrite]",
            )
        case "oci":
            raise _invalid(f"{scheme}: sources are not available in this version")
    raise _invalid(f"there are no {scheme[:20]}: sources")


def _folder(rest: str) -> FolderSource:
    parts = urlsplit(f"file:{rest}")
    if parts.netloc not in ("", "localhost"):
        raise _invalid("is a folder of another machine", hint="write file:///folder, with three slashes")
    path = unquote(parts.path)
    if not path or _CONTROL.search(path):
        raise _invalid("names no folder")
    return FolderSource(path)


def _pypi(rest: str) -> PypiSource:
    name, equals, version = rest.partition("==")
    if not _PROJECT.fullmatch(name) or (equals and not _VERSION.fullmatch(version)):
        raise _invalid("is no package", hint="write it as pypi:name or pypi:name==1.0")
    return PypiSource(re.sub(r"[-_.]+", "-", name).lower(), version)


def _npm(rest: str) -> NpmSource:
    match = _NPM.fullmatch(rest)
    if match is None or len(rest) > _LONGEST_NPM:
        raise _invalid("is no package of npm", hint="write it as npm:name, npm:@scope/name or npm:@scope/name@1.0.0")
    return NpmSource(match[1], match[2] or "")


def _url(scheme: str, rest: str) -> GitSource:
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    if at and (scheme == "https" or ":" in user or not re.fullmatch(r"[A-Za-z0-9_][\w.-]*", user)):
        raise _invalid(
            "carries a user name or password",
            hint="keep them out of the URL: git's credential helper or ~/.netrc hands them over",
        )
    if not slash or not _HOST.fullmatch(host):
        raise _invalid("is no URL of a repository")
    host = host.lower()
    if scheme == "https" and host in ("github.com", "www.github.com"):
        return _github(path)
    return _repository(f"{scheme}://{user}{at}{host}/", path)


def _github(rest: str) -> GitSource:
    owner, _, after = rest.strip("/").partition("/")
    name, mark, more = _split(after, r"@|/")
    name = name.removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _REPOSITORY.fullmatch(name):
        raise _invalid("names no repository", hint="write it as github:owner/name")
    url, repository = f"https://github.com/{owner}/{name}.git", f"github:{owner}/{name}"
    if mark == "/" and not more.startswith("/"):
        kind, _, tree = more.partition("/")
        if kind != "tree" or not tree:
            raise _invalid(
                "is a page of the repository, not a folder of it",
                hint=f"write it as {repository}, {repository}//folder@ref or https://github.com/{owner}/{name}/tree/…",
            )
        tree, at, ref = tree.partition("@")
        tree = unquote(tree).strip("/")
        _check_folder(tree)
        return GitSource(url, repository, _checked_ref(ref, at), tree=tree)
    subdir, ref = _subdir_and_ref(mark + more)
    return GitSource(url, repository, ref, subdir)


def _repository(prefix: str, rest: str) -> GitSource:
    path, mark, more = _split(rest, r"@|//")
    path = path.strip("/") if "://" in prefix else path.rstrip("/")
    if not path or path.startswith("-") or re.search(r"[\s?#\\'\"`$;|&<>(){}*]|(?:^|/)\.{1,2}(?:/|$)|::", path):
        raise _invalid("is no URL of a repository", hint=_FORMS)
    subdir, ref = _subdir_and_ref(mark + more)
    return GitSource(prefix + path, prefix + path.removesuffix(".git"), ref, subdir)


def _subdir_and_ref(rest: str) -> tuple[str, str]:
    """Of "//sub@ref" or "@ref//sub"; either may be missing."""
    if not rest.strip("/"):
        return "", ""
    if rest.startswith("//"):
        subdir, at, ref = rest[2:].partition("@")
    else:
        ref, _, subdir = rest[1:].partition("//")
        at = "@"
    subdir = unquote(subdir).strip("/")
    _check_folder(subdir)
    return subdir, _checked_ref(ref, at)


def _checked_ref(ref: str, at: str) -> str:
    ref = unquote(ref)
    if (at and not ref) or (ref and (_BAD_IN_REF.search(ref) or len(ref) > 255)):
        raise _invalid("its ref is none git allows", hint="after @ stands a branch, a tag or a commit")
    return ref.lower() if is_whole_commit(ref) else ref


def _check_folder(path: str) -> None:
    parts = path.split("/") if path else []
    bad = any(part in ("", ".", "..") or part.lower() == ".git" or part.startswith("-") for part in parts)
    if bad or _CONTROL.search(path) or re.search(r"[\\:?#*\[\]~^]", path):
        raise _invalid("its folder is none of a repository", hint="after // stands a folder, without . and ..")


def _split(text: str, pattern: str) -> tuple[str, str, str]:
    match = re.search(pattern, text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _invalid(description: str, *, hint: str = _FORMS) -> InvalidRequestError:
    return InvalidRequestError.at("source", description, hint=hint)
