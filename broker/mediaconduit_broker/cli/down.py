"""``mediaconduit down``: ends a broker and everything that runs for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import invocation_of


def down(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Config file; ./mediaconduit.toml where there is one."),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the broker, as `mediaconduit up` was given it.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long its calls may take to end.")] = 60.0,
) -> None:
    """Stop the broker of a state folder, its sidecars, and the keeper of detached ones.

    Whatever does not run any more is no mistake.
    """
    from mediaconduit_broker import config as configuration
    from mediaconduit_broker.cli import ending, output
    from mediaconduit_broker.state import StateFolder

    if config is None and Path("mediaconduit.toml").is_file():
        config = Path("mediaconduit.toml")
    wanted = configuration.load(config, {"state_dir": str(state_dir) if state_dir else None})
    state = StateFolder.at(wanted.state_dir, invocation_of(context).environ)
    broker, sidecars = ending.end(state, timeout)
    if broker:
        output.done("stopped", "the broker")
    if sidecars:
        output.done("ended", f"{sidecars} detached sidecar{'' if sidecars == 1 else 's'}")
    if not broker and not sidecars:
        output.note("nothing was running")
