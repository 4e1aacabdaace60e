"""Makes and compares locks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.cli import loading, output
from mediaconduit_broker.cli.failures import FAILED, OK, UsageError
from mediaconduit_broker.cli.trusting import BrokerPlace
from mediaconduit_broker.config import ProviderConfig
from mediaconduit_broker.environments import Permissions
from mediaconduit_broker.server import secrets_of, sources_of
from mediaconduit_broker.sources import FolderSource, parse
from mediaconduit_broker.trust import Locker, gate_of, lock_path, lockfile
from mediaconduit_broker.trust.differences import between_locks
from mediaconduit_broker.trust.lockfile import Lock, Locked, lock_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    source: str
    provider_id: str
    """Empty = the manifest's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    sources: tuple[str, ...]
    """Empty = all there are."""
    check: bool
    upgrade: bool
    prune: bool


async def run(wanted: Wanted, where: BrokerPlace, environ: Mapping[str, str]) -> int:
    """Makes the lock, or compares it; gives the exit code."""
    path = lock_path(where.config, where.base)
    kept = lockfile.read(path) or lock_of(())
    targets = _targets(wanted, where, kept)
    if not targets:
        raise UsageError(
            "there is nothing to lock", hint="name a source, or providers in the config ([providers.NAME] source = …)"
        )
    made = await _entries(targets, where, kept, environ, upgrade=wanted.upgrade)
    found = lock_of([*made, *_untouched(wanted, where, kept, made)])
    changes = between_locks(kept, found)
    return _compared(changes, path) if wanted.check else _written(changes, path, found)


def _targets(wanted: Wanted, where: BrokerPlace, kept: Lock) -> list[_Target]:
    configured = {name: provider.source for name, provider in where.config.providers.items()}
    if wanted.sources:
        return [_target(source, configured, kept, where.base) for source in wanted.sources]
    known = {} if wanted.prune else {locked.id: locked.source for locked in kept.provider}
    return [_Target(source=source, provider_id=name) for name, source in sorted((known | configured).items())]


def _target(source: str, configured: Mapping[str, str], kept: Lock, base: Path) -> _Target:
    """A source as it is to stand in the lock: the same wherever the lock is checked out."""
    if source in configured:
        return _Target(source=configured[source], provider_id=source)
    if (locked := kept.get(source)) is not None:
        return _Target(source=locked.source, provider_id=source)
    if isinstance(wanted := parse(source), FolderSource):
        folder = Path(wanted.path).expanduser().absolute().resolve()
        inside = folder.is_relative_to(base.resolve())
        source = f"./{os.path.relpath(folder, base.resolve())}" if inside else str(folder)
    names = [name for name, stated in configured.items() if stated == source]
    names += [locked.id for locked in kept.of_source(source) if locked.id not in configured]
    return _Target(source=source, provider_id=names[0] if names else "")


async def _entries(
    targets: list[_Target], where: BrokerPlace, kept: Lock, environ: Mapping[str, str], *, upgrade: bool
) -> list[Locked]:
    sources = sources_of(where.config, where.state, environ, where.base, secrets_of(where.config, environ, where.base))
    locker = Locker(sources, gate_of(where.config, where.state, base=where.base), environ)
    known = {} if upgrade else {locked.id: locked for locked in kept.provider}
    made: list[Locked] = []
    async with contextlib.aclosing(sources):
        for target in targets:
            provider = where.config.providers.get(target.provider_id, ProviderConfig(source=target.source))
            permissions = Permissions(provider.allow_build, tuple(provider.allow_indexes))
            with loading.build_log(), loading.display(target.provider_id or target.source) as show:
                made.append(
                    await locker.entry(
                        target.source,
                        target.provider_id,
                        known=known,
                        permissions=permissions,
                        report=lambda message, fraction, show=show: show(message, fraction, ""),  # type: ignore[misc]
                    )
                )
    _check_names(made)
    return made


def _check_names(made: list[Locked]) -> None:
    names = [locked.id for locked in made]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise PreconditionError(
            f"two sources would be loaded under the name {doubled[0]}",
            reason=Reason.MANIFEST_INVALID,
            hint="give each a name of its own in the config: [providers.NAME] source = …",
        )


def _untouched(wanted: Wanted, where: BrokerPlace, kept: Lock, made: list[Locked]) -> list[Locked]:
    """Entries that nobody asked about."""
    done = {locked.id for locked in made}
    return [
        locked
        for locked in kept.provider
        if locked.id not in done and not (wanted.prune and locked.id not in where.config.providers)
    ]


def _compared(changes: list[str], path: Path) -> int:
    if not changes:
        output.done("unchanged", path.name)
        return OK
    for change in changes:
        print(output.safe(change))
    output.note(f"{path.name} is not what the sources are now; `mediaconduit lock` would write these changes")
    return FAILED


def _written(changes: list[str], path: Path, found: Lock) -> int:
    lockfile.write(path, found)
    for change in changes:
        print(output.safe(change))
    count = len(found.provider)
    verb = "locked" if changes else "unchanged"
    output.done(verb, path.name, f"{count} provider{'' if count == 1 else 's'}")
    return OK
