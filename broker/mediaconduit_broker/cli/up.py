"""``mediaconduit up``: the broker, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import invocation_of


def up(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Config file; ./mediaconduit.toml where there is one."),
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Address to serve on; port 0 takes a free one.")
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder for environments and what must last; one broker at a time."),
    ] = None,
    detached: Annotated[
        bool | None,
        typer.Option("--detached/--attached", help="Whether sidecars survive the broker.", show_default=False),
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Run nothing but what the lock holds (see `mediaconduit lock`).")
    ] = False,
    lock: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The lock; mediaconduit.lock beside the config.")
    ] = None,
    log_format: Annotated[str, typer.Option(metavar="console|json", help="How its log looks.")] = "console",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details, too.")] = False,
) -> None:
    """Start the broker and its providers; Ctrl-C stops all of them, or with --detached the broker alone.

    Prints the address on stdout once it serves, its log on stderr.
    """
    from mediaconduit_broker import config as configuration
    from mediaconduit_broker.cli import serving
    from mediaconduit_broker.cli.children import watch_children_without_threads
    from mediaconduit_broker.cli.failures import UsageError
    from mediaconduit_broker.cli.running import run_async

    if log_format not in ("console", "json"):
        raise UsageError(f"--log-format {log_format!r} is neither console nor json")
    if config is None and Path("mediaconduit.toml").is_file():
        config = Path("mediaconduit.toml")
    overrides = {"listen": listen, "state_dir": str(state_dir) if state_dir else None, "detached": detached}
    wanted = configuration.load(config, overrides)
    wanted = configuration.with_trust(wanted, frozen=frozen or None, lock=str(lock.absolute()) if lock else None)
    base = config.resolve().parent if config else Path.cwd()
    serving.set_up_logging(as_json=log_format == "json", verbose=verbose)
    watch_children_without_threads()
    run_async(serving.serve(wanted, invocation_of(context).environ, base))
