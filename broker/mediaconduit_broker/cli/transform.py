"""``mediaconduit transform``: one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mediaconduit_broker.cli.invocation import BrokerOption

if TYPE_CHECKING:
    from mediaconduit.client import Client


def transform(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help='"cowsay/default", an alias, or "" to let --capability choose.')
    ],
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help='Input; "-" reads stdin, as does a pipe when nothing is given.'),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="[NAME=]PATH",
            help="A file or URL as input, or as a named one: voice=me.wav. "
            '"-" is stdin; ";type=audio/wav" behind it says what it is.',
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--output", "-o", metavar="PATH", help="File, or folder, for what comes out.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", "-O", metavar="KEY=VALUE", help="text.temperature=0.2, seed=1, extra.width=40, …"),
    ] = None,
    system: Annotated[str, typer.Option("--system", "-s", help="Instructions that frame the input.")] = "",
    capability: Annotated[
        str, typer.Option("--capability", "-c", metavar="CAPABILITY", help='What is wanted: "text-to-audio".')
    ] = "",
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="The call must be over by then.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line per event, the whole result as the last one.")
    ] = False,
    broker: BrokerOption = None,
) -> None:
    """Transform text and files with a model.

    Text streams to stdout as it comes. Data goes to -o, or to stdout where that is a pipe or a file. Ctrl-C cancels
    the call.
    """
    from mediaconduit_broker.cli import inputs as given
    from mediaconduit_broker.cli import transforming, values
    from mediaconduit_broker.cli.running import with_broker

    content, named = given.read(text, inputs or [])
    call = transforming.Transformation(
        model=model,
        content=content,
        keywords={
            **values.options(options or []),
            **({"inputs": named} if named else {}),
            **({"system": system} if system else {}),
            **({"capability": capability} if capability else {}),
            **({"timeout": timeout} if timeout is not None else {}),
        },
        to=given.destination(to),
        as_json=as_json,
    )

    async def command(client: Client) -> None:
        await transforming.run(client, call)

    with_broker(context, broker, command)
