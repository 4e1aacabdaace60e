"""``mediaconduit gc``: frees the disk of environments nobody needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import JsonOption


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those of providers that come back with the broker, unless in use.")
    ] = False,
    as_json: JsonOption = False,
    state_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The broker's state folder; the platform's where absent.")
    ] = None,
) -> None:
    """Remove environments that no provider needs, and code fetched for none.

    Environments in use stay, also while the broker runs.
    """
    from mediaconduit_broker.cli import collecting
    from mediaconduit_broker.state import StateFolder

    state = StateFolder.at(state_dir)
    collecting.run(state, dry_run=dry_run, everything=everything, as_json=as_json)
