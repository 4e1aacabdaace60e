"""``mediaconduit new``: a provider to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the provider, and of the folder to make.")],
    lang: Annotated[str, typer.Option("--lang", metavar="python", help="Language to write it in.")] = "python",
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="Where to make it; here, where absent.")
    ] = None,
) -> None:
    """Make a provider that passes its own tests, to start from."""
    from mediaconduit_broker import scaffold
    from mediaconduit_broker.cli import output
    from mediaconduit_broker.cli.failures import UsageError

    if lang not in scaffold.LANGUAGES:
        raise UsageError(f"--lang {lang}: not there", hint=f"languages are {', '.join(scaffold.LANGUAGES)}")
    made = scaffold.create(name, folder or Path(), lang)
    output.done("made", str(made.folder), f"{len(made.files)} files")
    for command, what in (
        (f"mediaconduit exec {made.source} -- pytest", "run its tests"),
        (f"mediaconduit provider add {made.source}", "load it into the broker"),
        (f'mediaconduit transform {made.provider_id}/default "hello"', "call it"),
    ):
        output.styled(("  ", ""), (command.ljust(56), "bold"), (what, "dim"), stderr=True)
