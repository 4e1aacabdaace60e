"""``mediaconduit exec``: a command in a provider's environment."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import invocation_of
from mediaconduit_broker.cli.trust import ConfigOption, StateOption


def execute(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, github:owner/name@ref, or a bundled name.")
    ],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, e.g. pytest.")],
    config: ConfigOption = None,
    state_dir: StateOption = None,
) -> None:
    """Run a command in a provider's folder, with its environment and its development dependencies.

    The exit code is the command's: `mediaconduit exec . -- pytest`.
    """
    from mediaconduit_broker.cli import environment, trusting, values

    place = values.source(source)
    wanted = command[1:] if command[0] == "--" else command
    environ = invocation_of(context).environ
    environment.execute(place, wanted, environ, trusting.place(config, state_dir, environ))
