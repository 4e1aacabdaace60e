"""Which commit a source means, given what the repository lists. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from mediaconduit.errors import NotFoundError, Reason

from mediaconduit_broker.sources.parse import GitSource, is_commit, is_whole_commit

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Refs:
    """Branches, tags and HEAD of a repository."""

    commits: Mapping[str, str] = field(default_factory=dict)
    """By full name ("refs/heads/main"); annotated tags by the commit they stand for."""
    head: str = ""
    """The branch HEAD is ("refs/heads/main"); empty when it is none."""
    head_commit: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to fetch."""

    commit: str
    ref: str = ""
    """Full name of the branch or tag; empty when the commit was named itself."""
    subdir: str = ""


def parse_refs(output: str) -> Refs:
    """Reads what ``git ls-remote --symref`` writes."""
    commits: dict[str, str] = {}
    head = head_commit = ""
    for line in output.splitlines():
        value, tab, name = line.partition("\t")
        if not tab:
            continue
        if value.startswith("ref: "):
            head = value[5:] if name == "HEAD" else head
        elif name == "HEAD":
            head_commit = value
        elif name.endswith("^{}"):
            commits[name.removesuffix("^{}")] = value
        else:
            commits.setdefault(name, value)
    return Refs(commits, head, head_commit)


def choose(source: GitSource, refs: Refs, known: Collection[str] = ()) -> Choice:
    """The commit and folder a source means. Never a branch that was not asked for.

    Args:
        source: As parsed.
        refs: What the repository has.
        known: Commits of it that were fetched before; a short hash may be completed to one of them or to one of `refs`.

    Raises:
        NotFoundError: SOURCE_NOT_FOUND with the nearest refs.
    """
    if source.tree:
        within = _of_tree(source, refs, known)
        if not source.ref:
            return within
        chosen = _of_ref(source.repository, source.ref, refs, known)
        return Choice(chosen.commit, chosen.ref, within.subdir)
    if source.ref:
        chosen = _of_ref(source.repository, source.ref, refs, known)
        return Choice(chosen.commit, chosen.ref, source.subdir)
    if not refs.head_commit:
        raise NotFoundError(
            f"{source.repository} has no default branch: it is empty, or its HEAD points nowhere",
            reason=Reason.SOURCE_NOT_FOUND,
            hint="name a branch, tag or commit after @",
            metadata={"source": source.repository},
        )
    return Choice(refs.head_commit, refs.head, source.subdir)


def _of_tree(source: GitSource, refs: Refs, known: Collection[str]) -> Choice:
    parts = source.tree.split("/")
    for count in range(len(parts), 0, -1):
        if found := _named("/".join(parts[:count]), refs):
            return Choice(refs.commits[found], found, "/".join(parts[count:]))
    if not is_commit(parts[0]):
        raise _missing(source.repository, source.tree, refs)
    chosen = _of_ref(source.repository, parts[0], refs, known)
    return Choice(chosen.commit, chosen.ref, "/".join(parts[1:]))


def _of_ref(repository: str, ref: str, refs: Refs, known: Collection[str]) -> Choice:
    if is_whole_commit(ref):
        return Choice(ref.lower())
    if found := _named(ref, refs):
        return Choice(refs.commits[found], found)
    if is_commit(ref):
        return Choice(_completed(repository, ref.lower(), refs, known))
    raise _missing(repository, ref, refs)


def _named(ref: str, refs: Refs) -> str:
    """The full name git would take: a tag before a branch of the same name."""
    names = (ref if ref.startswith("refs/") else "", f"refs/{ref}", f"refs/tags/{ref}", f"refs/heads/{ref}")
    return next((name for name in names if name in refs.commits), "")


def _completed(repository: str, short: str, refs: Refs, known: Collection[str]) -> str:
    found = {commit for commit in (*refs.commits.values(), *known) if commit.startswith(short)}
    if len(found) == 1:
        return found.pop()
    if found:
        why, near = f"{len(found)} commits of {repository} begin with {short!r}", ",".join(sorted(found)[:_SHOWN])
    else:
        near = ""
        why = f"{short!r} is no branch or tag of {repository}, nor the beginning of a commit that is known"
    raise NotFoundError(
        why,
        reason=Reason.SOURCE_NOT_FOUND,
        hint="give all 40 digits: git servers complete no hashes, so only the commits of branches, of tags and of "
        "earlier loads are known here",
        metadata={"source": repository, "suggestions": near},
    )


def _missing(repository: str, ref: str, refs: Refs) -> NotFoundError:
    short = list(dict.fromkeys(_short_names(refs)))
    near = difflib.get_close_matches(ref, short, n=3, cutoff=0.4)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif short:
        more = f" and {len(short) - _SHOWN} more" if len(short) > _SHOWN else ""
        hint = f"it has {', '.join(short[:_SHOWN])}{more}"
    else:
        hint = "it has no branches and no tags"
    return NotFoundError(
        f"{repository} has no branch, tag or commit {ref!r}",
        reason=Reason.SOURCE_NOT_FOUND,
        hint=hint,
        metadata={"source": repository, "suggestions": ",".join(near)},
    )


def _short_names(refs: Refs) -> Iterator[str]:
    for name in refs.commits:
        yield name.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
