"""``mediaconduit gc``: frees the disk of environments nobody needs."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import JsonOption, invocation_of
from mediaconduit_broker.cli.trust import ConfigOption, StateOption


def gc(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also those of providers that come back with the broker or are locked, unless in use."
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    state_dir: StateOption = None,
) -> None:
    """Remove environments that no provider needs, and code fetched for none.

    Environments in use stay, also while the broker runs, and so does what mediaconduit.lock names.
    """
    from mediaconduit_broker.cli import collecting, trusting

    where = trusting.place(config, state_dir, invocation_of(context).environ)
    collecting.run(where, dry_run=dry_run, everything=everything, as_json=as_json)
