"""``mediaconduit new``: a provider to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mediaconduit_broker.scaffold import Made


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the provider, and of the folder to make.")],
    lang: Annotated[
        str, typer.Option("--lang", metavar="python|node|go|rust", help="Language to write it in.")
    ] = "python",
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="Where to make it; here, where absent.")
    ] = None,
) -> None:
    """Make a provider that passes its own tests and the checks of `mediaconduit test`, to start from."""
    from mediaconduit_broker import scaffold
    from mediaconduit_broker.cli import output
    from mediaconduit_broker.cli.failures import UsageError

    if lang not in scaffold.LANGUAGES:
        raise UsageError(f"--lang {lang}: not there", hint=f"languages are {', '.join(scaffold.LANGUAGES)}")
    made = scaffold.create(name, folder or Path(), lang)
    output.done("made", str(made.folder), f"{len(made.files)} files")
    for command, what in _next(made):
        output.styled(("  ", ""), (command.ljust(56), "bold"), (what, "dim"), stderr=True)


def _next(made: Made) -> Iterator[tuple[str, str]]:
    """Commands to go on with."""
    allow = " --allow-build" if made.builds else ""
    if made.tests:
        yield f"mediaconduit exec {made.source} -- {made.tests}", "run its tests"
    yield f"mediaconduit test {made.source}{allow}", "check it against the contract"
    yield f"mediaconduit provider add {made.source}{allow}", "load it into the broker"
    yield f'mediaconduit transform {made.provider_id}/default "hello"', "call it"
    yield f"mediaconduit publish --check {made.source}{allow}", "before you push it"
