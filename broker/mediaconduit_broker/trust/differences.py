"""What differs between what is locked and what is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mediaconduit_broker.trust.lockfile import Lock, Locked

_SHORT = 12


def between(locked: Locked, found: Locked) -> list[str]:
    """What changed since a provider was locked, for people; empty when nothing did."""
    changes = []
    if locked.source != found.source:
        changes.append(f"source: {locked.source} → {found.source}")
    if locked.commit != found.commit:
        changes.append(f"{_moved(locked, found)}: {_short(locked.commit)} → {_short(found.commit)}")
    elif locked.resolved != found.resolved:
        changes.append(f"version: {locked.resolved} → {found.resolved}")
    if locked.tree != found.tree:
        changes.append(f"files: {_short(locked.tree)} → {_short(found.tree)}")
    if locked.manifest != found.manifest:
        changes.append(f"manifest: {_short(locked.manifest)} → {_short(found.manifest)}")
    if locked.environment != found.environment:
        changes += _packages(locked.packages, found.packages)
    return changes


def between_locks(kept: Lock, found: Lock) -> list[str]:
    """The same of two whole locks: a line for each change, led by the provider."""
    lines = []
    for name in sorted({entry.id for entry in (*kept.provider, *found.provider)}):
        old, new = kept.get(name), found.get(name)
        if old is None:
            lines.append(f"{name}: is not in the lock")
        elif new is None:
            lines.append(f"{name}: is in the lock alone")
        else:
            lines += [f"{name}: {change}" for change in between(old, new)]
    return lines


def _moved(locked: Locked, found: Locked) -> str:
    for name, kind in (("refs/tags/", "tag"), ("refs/heads/", "branch")):
        if locked.ref.startswith(name) and locked.ref == found.ref:
            return f"the {kind} {locked.ref.removeprefix(name)} was moved"
    return "commit"


def _packages(old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]) -> list[str]:
    before, after = _by_name(old), _by_name(new)
    changes = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            changes.append(f"package {name}: {was or 'none'} → {now or 'none'}")
    same = sorted(name for name in old.keys() & new.keys() if set(old[name]) != set(new[name]))
    return changes + [f"package {name}: other files under the same version" for name in same]


def _by_name(packages: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Versions by name; where platforms have several, all of them."""
    found: dict[str, list[str]] = {}
    for line in sorted(packages):
        name, _, version = line.partition("==")
        found.setdefault(name.strip(), []).append(version.strip())
    return {name: ", ".join(versions) for name, versions in found.items()}


def _short(text: str) -> str:
    return text.removeprefix("sha256:")[:_SHORT] or "none"
