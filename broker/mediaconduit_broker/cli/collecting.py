"""Lists environments and removes those that nobody needs."""

from __future__ import annotations

from collections.abc import Mapping

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.output import Cell
from mediaconduit_broker.cli.trusting import BrokerPlace
from mediaconduit_broker.environments import BuildJournal, StoredEnvironment, collection
from mediaconduit_broker.sources.store import Store
from mediaconduit_broker.trust import lock_path, lockfile

_FRESH_SECONDS = 3600.0


def run(where: BrokerPlace, *, dry_run: bool, everything: bool, as_json: bool) -> None:
    """Removes, unless it is to be a dry run, and says what."""
    state, lock = where.state, lockfile.read(lock_path(where.config, where.base))
    journal = BuildJournal.beside(state.environments)
    reasons = {journal.last_key(locked.id): "locked" for locked in (lock.provider if lock else ())}
    reasons |= {journal.last_key(known.provider_id): "comes back with the broker" for known in state.known_providers()}
    found = collection.survey(state.environments)
    going = [one for one in found if not one.in_use and (everything or one.key not in reasons)]
    if not dry_run:
        collection.remove_leftovers(state.environments)
        going = [environment for environment in going if collection.remove(environment.folder)]
        keep = {known.pinned for known in state.known_providers()}
        if lock and not everything:
            keep |= {locked.resolved for locked in lock.provider}
        # What was asked for just now may be about to run.
        Store(state.sources).collect(keep, _FRESH_SECONDS)
    if as_json:
        output.print_json([_plain(environment, going, dry_run=dry_run) for environment in found])
        return
    if found:
        columns = ("environment", "provider", ">on disk", "last used", "")
        output.table(columns, [_row(environment, going, reasons, dry_run=dry_run) for environment in found])
    freed = output.human_bytes(sum(environment.size_bytes for environment in going)) or "0 B"
    count = f"{len(going)} of {len(found)} environments"
    output.done("would remove" if dry_run else "removed", count, freed)


def _row(
    environment: StoredEnvironment, going: list[StoredEnvironment], reasons: Mapping[str, str], *, dry_run: bool
) -> list[Cell]:
    if environment in going:
        fate: Cell = ("would go" if dry_run else "removed", "yellow")
    elif environment.in_use:
        fate = ("in use", "green")
    else:
        fate = (reasons.get(environment.key, "kept"), "dim")
    return [
        (environment.key, "bold"),
        environment.provider_id,
        output.human_bytes(environment.size_bytes),
        output.ago(int(environment.last_used)),
        fate,
    ]


def _plain(
    environment: StoredEnvironment, going: list[StoredEnvironment], *, dry_run: bool
) -> dict[str, str | int | float | bool]:
    return {
        "key": environment.key,
        "provider": environment.provider_id,
        "size_bytes": environment.size_bytes,
        "last_used": environment.last_used,
        "in_use": environment.in_use,
        "removed": environment in going and not dry_run,
        "would_remove": environment in going,
    }
