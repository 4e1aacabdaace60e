"""``mediaconduit test``: the checks every provider must pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from mediaconduit_broker.cli.invocation import JsonOption, invocation_of
from mediaconduit_broker.cli.provider import Settings
from mediaconduit_broker.cli.trust import ConfigOption, StateOption

Secrets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME=VALUE", help="A key its manifest names. Better: a variable of that name."),
]
AllowSkipped: TypeAlias = Annotated[
    bool, typer.Option("--allow-skipped", help="Also end with 0 when checks were skipped for want of a key.")
]
AllowBuild: TypeAlias = Annotated[
    bool, typer.Option("--allow-build", help="Let it run its manifest's build commands: code of its repository.")
]


def check_provider(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, github:owner/name@ref, or a bundled name.")
    ],
    settings: Settings = None,
    secrets: Secrets = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the real vendor, not what its manifest has to stand in for it.")
    ] = False,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="ID", help="Try only this model, as a cheap one. May come several times."),
    ] = None,
    allow_skipped: AllowSkipped = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this check. May come several times.")
    ] = None,
    allow_build: AllowBuild = False,
    as_json: JsonOption = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML, too.")] = None,
    config: ConfigOption = None,
    state_dir: StateOption = None,
) -> None:
    """Check that a provider keeps to the contract. Starts it by itself, without a broker.

    Ends with 0 when every check passes, with 1 when one fails, and with 5 when none fails but some were skipped for
    want of a key. docs/conformance.md explains each check.
    """
    from mediaconduit_broker.cli import testing, trusting, values
    from mediaconduit_broker.cli.children import watch_children_without_threads
    from mediaconduit_broker.cli.running import run_async

    environ = invocation_of(context).environ
    wanted = testing.Wanted(
        source=values.source(source),
        settings=values.settings(settings or ()),
        secrets=dict(values.pairs(secrets or (), "--secret")),
        live=live,
        models=tuple(models or ()),
        allow_skipped=allow_skipped,
        only=tuple(only or ()),
        allow_build=allow_build,
        as_json=as_json,
        junit=junit,
    )
    watch_children_without_threads()
    run_async(testing.run(wanted, trusting.place(config, state_dir, environ), environ))
