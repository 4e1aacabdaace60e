"""``mediaconduit lock``: writes down what exactly is to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import invocation_of
from mediaconduit_broker.cli.trust import ConfigOption, StateOption


def lock(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="What to lock: a source, or a name of the config or the lock. All of both where absent.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with 1 when the lock is not as it was.")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest packages, not those locked before.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Drop what the config does not name.")] = False,
    lock_file: Annotated[
        Path | None, typer.Option("--lock", metavar="FILE", help="The lock; mediaconduit.lock beside the config.")
    ] = None,
    config: ConfigOption = None,
    state_dir: StateOption = None,
) -> None:
    """Resolve providers and write mediaconduit.lock: commits, hashes of files, packages for every platform.

    Runs no code of theirs. `mediaconduit up --frozen` then runs nothing else.
    """
    from mediaconduit_broker.cli import locking, trusting
    from mediaconduit_broker.cli.children import watch_children_without_threads
    from mediaconduit_broker.cli.running import run_async

    environ = invocation_of(context).environ
    where = trusting.place(config, state_dir, environ, lock=lock_file)
    wanted = locking.Wanted(tuple(sources or ()), check=check, upgrade=upgrade, prune=prune)
    watch_children_without_threads()
    run_async(locking.run(wanted, where, environ))
