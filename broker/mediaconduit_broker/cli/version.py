"""``mediaconduit version``."""

from __future__ import annotations

import typer


def own_version() -> str:
    """Version of this installation."""
    from importlib.metadata import version

    return version("mediaconduit-broker")


def version() -> None:
    """Print the version."""
    typer.echo(f"mediaconduit {own_version()}")


def print_version(wanted: bool) -> None:
    """``--version``."""
    if wanted:
        version()
        raise typer.Exit
