"""``mediaconduit exec``: a command in a provider's environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import invocation_of


def execute(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, github:owner/name@ref, or a bundled name.")
    ],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, e.g. pytest.")],
    state_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder that environments are kept in.")
    ] = None,
) -> None:
    """Run a command in a provider's folder, with its environment and its development dependencies.

    The exit code is the command's: `mediaconduit exec . -- pytest`.
    """
    from mediaconduit_broker.cli import environment, values

    place = values.source(source)
    wanted = command[1:] if command[0] == "--" else command
    environment.execute(place, wanted, invocation_of(context).environ, state_dir)
