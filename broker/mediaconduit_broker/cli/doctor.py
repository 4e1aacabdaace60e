"""``mediaconduit doctor``: what is missing, and how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaconduit_broker.cli.invocation import BrokerOption, JsonOption, invocation_of


def doctor(
    context: typer.Context,
    state_dir: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder the broker is to use.")] = None,
    as_json: JsonOption = False,
    broker: BrokerOption = None,
) -> None:
    """Check this machine: what is missing, and how to get it. Ends with 1 when something required is."""
    from mediaconduit_broker.cli import checks
    from mediaconduit_broker.cli.running import run_async

    run_async(checks.run(invocation_of(context), broker, state_dir, as_json=as_json))
