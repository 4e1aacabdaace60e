"""``mediaconduit publish``: whether a provider is fit to be pushed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import JsonOption, invocation_of
from mediaconduit_broker.cli.provider import Settings
from mediaconduit_broker.cli.test import AllowBuild, AllowSkipped, Secrets


def publish(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The provider; here, where absent.")] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Say whether it is fit to be pushed. Nothing is changed.")
    ] = False,
    settings: Settings = None,
    secrets: Secrets = None,
    allow_skipped: AllowSkipped = False,
    allow_build: AllowBuild = False,
    as_json: JsonOption = False,
) -> None:
    """Check that a provider can be pushed and loaded by its URL. Pushing itself is git's.

    Looks at manifest, license, README, version, at what is not committed, and for keys in its files; then clones what
    is committed and runs the checks of `mediaconduit test` on the clone, in an environment of its own. Ends as that
    does.
    """
    from mediaconduit_broker.cli import publishing, values
    from mediaconduit_broker.cli.children import watch_children_without_threads
    from mediaconduit_broker.cli.failures import UsageError
    from mediaconduit_broker.cli.running import run_async

    if not check:
        raise UsageError(
            "a provider is published by pushing it with git",
            hint="`mediaconduit publish --check` says whether it is fit for that",
        )
    wanted = publishing.Wanted(
        folder=folder,
        settings=values.settings(settings or ()),
        secrets=dict(values.pairs(secrets or (), "--secret")),
        allow_skipped=allow_skipped,
        allow_build=allow_build,
        as_json=as_json,
    )
    watch_children_without_threads()
    run_async(publishing.run(wanted, invocation_of(context).environ))
