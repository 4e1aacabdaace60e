"""``mediaconduit provider``: what the broker runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mediaconduit_broker.cli.invocation import BrokerOption, JsonOption

if TYPE_CHECKING:
    from mediaconduit.client import Client

app = typer.Typer(help="Add, list, look into and remove providers.", no_args_is_help=True, rich_markup_mode=None)

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The provider's id.")]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting; JSON where it parses. May come several times."),
]


@app.command()
def add(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, github:owner/name@ref, or a bundled name.")
    ],
    provider_id: Annotated[
        str, typer.Option("--id", metavar="NAME", help="Name to give it; the manifest's where absent.")
    ] = "",
    settings: Settings = None,
    allow_build: Annotated[
        bool, typer.Option("--allow-build", help="Let it run its manifest's build commands: code of its repository.")
    ] = False,
    frozen: Annotated[bool, typer.Option("--frozen", help="Refuse what the broker's lock does not hold.")] = False,
    broker: BrokerOption = None,
) -> None:
    """Build, start and remember a provider."""
    from mediaconduit_broker.cli import loading, values
    from mediaconduit_broker.cli.running import with_broker

    place = values.source(source)
    given = values.settings(settings) if settings else None

    async def command(client: Client) -> None:
        async def warnings(name: str) -> Iterable[str]:
            return (await client.broker.get(name)).warnings

        steps = client.broker.load(
            place, provider_id=provider_id, settings=given, allow_build=allow_build, frozen=frozen
        )
        await loading.follow(steps, "added", provider_id or source, warnings)

    with_broker(context, broker, command)


@app.command()
def ls(context: typer.Context, as_json: JsonOption = False, broker: BrokerOption = None) -> None:
    """List providers: state, health, calls (active/total, stuck ones named), memory, starts."""
    from mediaconduit_broker.cli import views
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        views.show_providers(await client.broker.list(), as_json=as_json)

    with_broker(context, broker, command)


@app.command()
def rm(
    context: typer.Context,
    name: Name,
    drain: Annotated[float | None, typer.Option(metavar="SECONDS", min=0, help="How long its calls may take.")] = None,
    broker: BrokerOption = None,
) -> None:
    """Drain, stop and forget a provider."""
    from mediaconduit_broker.cli import output
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        await client.broker.unload(name, drain_timeout=drain)
        output.done("removed", name)

    with_broker(context, broker, command)


@app.command()
def logs(
    context: typer.Context,
    name: Name,
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="COUNT", min=0, help="Lines from the past.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones.")] = False,
    build: Annotated[bool, typer.Option("--build", help="The log of its last build instead.")] = False,
    broker: BrokerOption = None,
) -> None:
    """Show what a provider has written."""
    from mediaconduit_broker.cli import views
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        async for news in client.broker.tail_logs(name, lines=lines, follow=follow, build=build):
            views.show_log_lines(news)

    with_broker(context, broker, command)


@app.command()
def inspect(context: typer.Context, name: Name, as_json: JsonOption = False, broker: BrokerOption = None) -> None:
    """Show all about a provider: what it says of itself, its settings, its environment, what is odd about it.

    Of one that needs keys it says whether its vendor accepts them, found out by a call that costs nothing.
    """
    from mediaconduit_broker.cli import views
    from mediaconduit_broker.cli.keys import check_keys
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        found = await client.broker.get(name)
        views.show_provider(found, await check_keys(client, found), as_json=as_json)

    with_broker(context, broker, command)


@app.command()
def configure(context: typer.Context, name: Name, settings: Settings = None, broker: BrokerOption = None) -> None:
    """Set a provider's settings, replacing all that were set before."""
    from mediaconduit_broker.cli import output, values
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        await client.provider(name).configure(values.settings(settings or []))
        output.done("configured", name)

    with_broker(context, broker, command)


@app.command()
def refresh(context: typer.Context, name: Name, broker: BrokerOption = None) -> None:
    """Read a provider's source again and replace the running one without losing a call."""
    from mediaconduit_broker.cli import loading
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        await loading.follow(client.broker.refresh(name), "refreshed", name)

    with_broker(context, broker, command)
