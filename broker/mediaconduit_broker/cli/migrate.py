"""``mediaconduit migrate``: a provider of the original, ready for this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import JsonOption, invocation_of
from mediaconduit_broker.cli.trust import ConfigOption, StateOption


def migrate(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Its repository: a folder, github:owner/name@ref or a URL.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Report only; write nothing.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the new manifest in the place of the old one, which is kept.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--in",
            metavar="FOLDER",
            help="A new folder to copy it to. What is fetched is copied here, by its id, without.",
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    state_dir: StateOption = None,
) -> None:
    """Take over a provider written for the original MediaConduit, in TypeScript.

    Reads its repository and runs none of it. Says what runs as it is, what it needs and what would break, and writes
    the manifest it has here beside the old one. What is fetched is copied to a folder of its own first. Ends with 1
    when something would break. docs/migrating.md walks through one.
    """
    from mediaconduit_broker.cli import migrating, trusting, values
    from mediaconduit_broker.cli.children import watch_children_without_threads
    from mediaconduit_broker.cli.running import run_async

    wanted = migrating.Wanted(
        source=values.source(source),
        check=check,
        replace=replace,
        folder=folder,
        as_json=as_json,
    )
    environ = invocation_of(context).environ
    watch_children_without_threads()
    run_async(migrating.run(wanted, trusting.place(config, state_dir, environ), environ))
