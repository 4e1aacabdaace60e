"""What a command is given beside its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, cast

import typer

DEFAULT_BROKER: Final = "localhost:50051"


@dataclass(frozen=True, slots=True)
class Invocation:
    """The process around a command."""

    environ: Mapping[str, str]
    """Its variables."""
    broker: str = DEFAULT_BROKER
    """Address of the broker, unless ``--broker`` says another."""
    api_key: str | None = None
    """Sent with every call, for brokers that ask who calls."""
    debug: bool = False
    """Show tracebacks."""


def invocation_of(context: typer.Context) -> Invocation:
    """The one `run` was given."""
    return cast("Invocation", context.obj)


BrokerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--broker", metavar="HOST:PORT", help=f"Where the broker is: MEDIACONDUIT_BROKER, else {DEFAULT_BROKER}."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
