"""``mediaconduit trust``: whose code may run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from mediaconduit_broker.cli.invocation import JsonOption, invocation_of

app = typer.Typer(
    help="Say whose code may run: places providers may come from.", no_args_is_help=True, rich_markup_mode=None
)

PatternArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="PATTERN",
        help="github:owner/*, https://host/path/**, git@host:path/*, pypi:name, npm:@scope/*, file:/folder/** "
        "or a folder.",
    ),
]
ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="The broker's config file; ./mediaconduit.toml where there is one."
    ),
]
StateOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--state-dir", metavar="FOLDER", help="The broker's state folder; the config's where absent."),
]


@app.command()
def add(
    context: typer.Context, pattern: PatternArgument, config: ConfigOption = None, state_dir: StateOption = None
) -> None:
    """Allow code from a place. A broker that runs knows it at once."""
    from mediaconduit_broker.cli import trusting

    trusting.add(pattern, trusting.place(config, state_dir, invocation_of(context).environ))


@app.command()
def ls(
    context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None, state_dir: StateOption = None
) -> None:
    """List what is allowed, and where that was said."""
    from mediaconduit_broker.cli import trusting

    trusting.show(trusting.place(config, state_dir, invocation_of(context).environ), as_json=as_json)


@app.command()
def rm(
    context: typer.Context, pattern: PatternArgument, config: ConfigOption = None, state_dir: StateOption = None
) -> None:
    """No longer allow what was added. What runs already goes on until it is removed."""
    from mediaconduit_broker.cli import trusting

    trusting.remove(pattern, trusting.place(config, state_dir, invocation_of(context).environ))
