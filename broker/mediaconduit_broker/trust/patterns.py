"""Patterns of the allow-list. Pure.

| pattern | what it allows |
|---|---|
| ``catalog`` | the bundled providers |
| ``file:/srv/providers/**`` | folders below /srv/providers |
| ``github:acme/*``, ``github:acme/cow`` | repositories of an owner; one repository |
| ``https://git.example.com/ml/**`` | repositories below a path of one host |
| ``ssh://git@example.com/ml/*``, ``git@example.com:ml/*`` | the same over ssh, each as it is written |
| ``pypi:acme-cow``, ``pypi:acme-*`` | packages |
| ``npm:acme-cow``, ``npm:@acme/*`` | packages of npm |

``*`` stands for any part of one name, ``**`` as the last name for one or more names; a host has neither. A pattern that
ends in ``//folder`` allows that folder of a repository alone; without, the whole of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mediaconduit.errors import FieldViolation, PreconditionError, Reason

from mediaconduit_broker.trust.place import Place

_NPM: Final = re.compile(r"(@[a-z0-9][a-z0-9._-]*/(\*|[a-z0-9][a-z0-9._-]*\*?)|[a-z0-9][a-z0-9._-]*\*?)")
_LONGEST: Final = 1024
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]"
_URL: Final = re.compile(rf"(https|ssh)://((?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:{_HOST})(?::[0-9]{{1,5}})?)/(.+)")
_SCP: Final = re.compile(rf"([A-Za-z0-9_][A-Za-z0-9_.-]*)@({_HOST}):(?!//)(.+)")
_WILD: Final = re.compile(r"\*+")
_DEFAULT_PORT: Final = {"https": ":443", "ssh": ":22"}
_GITHUB: Final = frozenset({("https", "github.com"), ("ssh", "git@github.com"), ("scp", "git@github.com")})
_FORMS: Final = (
    "patterns are catalog, file:/folder/**, github:owner/*, https://host/path/**, ssh://user@host/path/**, pypi:name, "
    "npm:@scope/*"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the allow-list."""

    text: str
    """As written."""
    place: Place
    """Its parts, with wildcards in path and subdir."""

    def allows(self, place: Place) -> bool:
        """Whether code from there may run."""
        mine = self.place
        if (mine.kind, mine.authority) != (place.kind, place.authority):
            return False
        if not _fits(mine.path, place.path):
            return False
        return not mine.subdir or _fits(mine.subdir, place.subdir)


def parse_pattern(text: str, field: str = "pattern") -> Pattern:
    """Reads one line of the allow-list.

    Args:
        text: The pattern.
        field: What an error calls it: "trust.allow[0]".

    Raises:
        PreconditionError: INPUT_INVALID: it is none, or means more than it seems to.
    """
    if not text or len(text) > _LONGEST or not text.isprintable() or text != text.strip():
        raise _invalid(field, "is empty, too long or holds spaces around it")
    if text == "catalog":
        return Pattern(text, Place("catalog"))
    kind, authority, path, subdir = _split(text, field)
    segments = _segments(path, field, kind)
    below = _segments(subdir, field, kind) if subdir else ()
    segments = (*segments[:-1], segments[-1].removesuffix(".git")) if kind != "file" else segments
    if (kind, authority) in _GITHUB:
        kind, authority = "github", ""
    if kind == "github":
        segments = tuple(segment.lower() for segment in segments)
        if len(segments) != 2 or segments[0] == "**":
            raise _invalid(
                field, "names no repository on GitHub", hint="write it as github:owner/* or github:owner/name"
            )
    return Pattern(text, Place(kind, authority, segments, below))


def _split(text: str, field: str) -> tuple[str, str, str, str]:
    """Kind, authority, path and subdir."""
    if match := _SCP.fullmatch(text):
        path, subdir = _below(match[3], field)
        return "scp", f"{match[1]}@{match[2].lower()}", path, subdir
    if match := _URL.fullmatch(text):
        if match[1] == "https" and "@" in match[2]:
            raise _invalid(field, "carries a user name", hint="write https:// patterns without one")
        path, subdir = _below(match[3], field)
        return match[1], match[2].lower().removesuffix(_DEFAULT_PORT[match[1]]), path, subdir
    kind, colon, rest = text.partition(":")
    if colon and kind == "file" and (path := rest.removeprefix("//")).startswith("/"):
        return "file", "", path.strip("/"), ""
    if colon and kind == "github":
        return "github", "", *_below(rest, field)
    if colon and kind == "pypi" and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\*?", rest):
        return "pypi", "", re.sub(r"[-_.]+", "-", rest).lower(), ""
    if colon and kind == "npm" and _NPM.fullmatch(rest):
        return "npm", "", rest, ""
    raise _invalid(field, "is no pattern" if colon else "is no pattern; a folder begins with file:")


def _below(path: str, field: str) -> tuple[str, str]:
    """Path and subdir of "o/r//sub"."""
    if "@" in path:
        raise _invalid(
            field, "names a version", hint="patterns name places; `mediaconduit lock` pins what is used from them"
        )
    path, _, subdir = path.partition("//")
    return path.rstrip("/"), subdir.strip("/")


def _segments(path: str, field: str, kind: str) -> tuple[str, ...]:
    segments = tuple(path.split("/"))
    rooted = kind == "scp" and segments[0] == "" and len(segments) > 1
    checked = segments[1:] if rooted else segments
    for at, segment in enumerate(checked):
        if segment in ("", ".", "..") or (kind != "file" and re.search(r"[\\?\[\]{}%]", segment)):
            raise _invalid(field, "holds an empty name, . or .., or one of ?[]{}%\\")
        if any(match != "*" for match in _WILD.findall(segment)) and (segment != "**" or at != len(checked) - 1):
            raise _invalid(field, "** stands for whole names, and last")
    return segments


def _fits(pattern: tuple[str, ...], names: tuple[str, ...]) -> bool:
    if pattern[-1:] == ("**",):
        head = pattern[:-1]
        return len(names) > len(head) and all(map(_name_fits, head, names))
    return len(pattern) == len(names) and all(map(_name_fits, pattern, names))


def _name_fits(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.S) is not None


def _invalid(field: str, description: str, *, hint: str = _FORMS) -> PreconditionError:
    return PreconditionError(
        f"{field}: {description}", reason=Reason.INPUT_INVALID, fields=[FieldViolation(field, description)], hint=hint
    )
