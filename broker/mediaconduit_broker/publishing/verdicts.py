"""Judgement of a folder's manifest, licence, text and version. Pure: each gives what was seen, or raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from mediaconduit_broker.conformance.check import CheckFailedError, require
from mediaconduit_broker.manifest import Manifest
from mediaconduit_broker.publishing.tree import Tree

_GITHUB: Final = re.compile(r"(?:https://github\.com/|(?:ssh://)?git@github\.com[:/])([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_SHORTEST_README: Final = 120
_VERSION: Final = re.compile(r"\d+(?:\.\d+){1,3}(?:[-.+]?[0-9A-Za-z][0-9A-Za-z.+-]*)?")
_LICENSE_FILE: Final = re.compile(r"(licen[sc]e|copying)(\.\w+)?", re.I)
_README_FILE: Final = re.compile(r"readme(\.\w+)?", re.I)
_LARGEST: Final = 100 * 1024 * 1024
"""Servers of others refuse larger files."""
_MUCH: Final = 50 * 1024 * 1024


def manifest(stated: Manifest) -> str:
    """Whether it says what a catalog shows."""
    require(not stated.warnings, "; ".join(stated.warnings))
    lacking = [name for name in ("description", "capabilities") if not getattr(stated, name)]
    require(not lacking, f"it says no {' and no '.join(lacking)}")
    require(len(stated.description) <= 300, "its description is longer than a sentence or two")
    return f"{stated.id} {stated.version}: {', '.join(stated.capabilities)}"


def license_named(expression: str, files: Sequence[str], readme: str) -> str:
    """Whether it names a licence, and has its text or a word on it."""
    require(expression, "the manifest names no license")
    try:
        canonical = canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        raise CheckFailedError(f"{expression!r} is no SPDX expression") from None
    there = next((name for name in files if _LICENSE_FILE.fullmatch(name)), "")
    require(there or "licen" in readme.lower(), "there is neither a LICENSE file nor a word on it in the README")
    return f"{canonical}, {'in ' + there if there else 'said in the README'}"


def readme_name(files: Sequence[str]) -> str:
    """Name of the README; empty when there is none."""
    return next((name for name in sorted(files) if _README_FILE.fullmatch(name)), "")


def readme(name: str, text: str, provider: Manifest) -> str:
    """Whether somebody who finds it learns what it is."""
    require(name, "there is none")
    require(len(text) >= _SHORTEST_README, f"{name} has {len(text)} characters: nobody learns from it what this is")
    undone = [word for word in ("TODO", "FIXME", "Lorem ipsum") if word in text]
    require(not undone, f"{name} says {', '.join(undone)}")
    missing = [secret for secret in provider.secrets if secret not in text]
    require(not missing, f"{name} does not say that it needs {', '.join(missing)}")
    return f"{name}, {len(text.splitlines())} lines"


def committed(tree: Tree) -> str:
    """Whether what others fetch is what is here."""
    require(tree.top is not None, "it is in no git repository")
    require(tree.commit, "nothing is committed yet")
    some = ", ".join(tree.changed[:5]) + (f" and {len(tree.changed) - 5} more" if len(tree.changed) > 5 else "")
    require(not tree.changed, f"not committed: {some}")
    return f"{len(tree.files)} files at {tree.commit[:12]}"


def size(sizes: dict[str, int]) -> str:
    """Whether it can be pushed, and fetched in a moment."""
    large = {name: count for name, count in sizes.items() if count > _LARGEST}
    require(not large, f"{', '.join(large)} is larger than 100 MB, which servers refuse")
    total = sum(sizes.values())
    largest = max(sizes, key=lambda name: sizes[name], default="")
    require(total <= _MUCH, f"{total // 10**6} MB in all, of which {largest} has {sizes.get(largest, 0) // 10**6}")
    return f"{max(1, total // 1000)} kB"


def version(stated: str, others: dict[str, str], tree: Tree) -> str:
    """Whether the version is one, the same everywhere, and of nothing else; says how to tag it.

    Args:
        stated: The manifest's.
        others: What other files say it is, by their names.
        tree: With the tags there are.
    """
    require(_VERSION.fullmatch(stated), f"{stated!r} is no version: write it as 1.2.3")
    differing = [f"{name} says {found}" for name, found in others.items() if found != stated]
    require(not differing, f"the manifest says {stated}, {', '.join(differing)}")
    tags = dict(tree.tags)
    tag = next((name for name in (f"v{stated}", stated) if name in tags), "")
    if not tag:
        return f"{stated}, not tagged yet: git tag v{stated} && git push origin v{stated}"
    require(tags[tag] == tree.commit, f"{tag} is another commit: it was published before. Raise the version")
    return f"{stated}, tagged as {tag}"


def source(remote: str, prefix: str, tag: str) -> str:
    """How others load it: "github:owner/name//folder@v1"; empty when there is no remote."""
    if not remote:
        return ""
    github = re.fullmatch(
        r"(?:https://github\.com/|(?:ssh://)?git@github\.com[:/])([\w.-]+/[\w.-]+?)(?:\.git)?/?", remote
    )
    place = f"github:{github[1]}" if github else remote
    return f"{place}{'//' + prefix if prefix else ''}@{tag}"
