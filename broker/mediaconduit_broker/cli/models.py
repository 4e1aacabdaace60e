"""``mediaconduit models`` and ``voices``: what can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mediaconduit_broker.cli.invocation import BrokerOption, JsonOption

if TYPE_CHECKING:
    from mediaconduit.client import Client

ProviderArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="PROVIDER", help="Only this provider's.", show_default=False)
]


def models(
    context: typer.Context,
    only: Annotated[
        str, typer.Argument(metavar="PROVIDER|MODEL", help="Only this provider's, or all about one model.")
    ] = "",
    capability: Annotated[
        str | None, typer.Option("--capability", "-c", metavar="CAPABILITY", help='What they must do: "text-to-audio".')
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option("--feature", "-f", metavar="FEATURE", help='What they must have: "tools". May come again.'),
    ] = None,
    provider: Annotated[
        str, typer.Option("--provider", "-p", metavar="PROVIDER", help="Only this provider's.", show_default=False)
    ] = "",
    search: Annotated[
        str, typer.Option("--search", "-s", metavar="WORDS", help="Words they must be named or described with.")
    ] = "",
    free: Annotated[bool, typer.Option("--free", help="Only those known to cost nothing.")] = False,
    newest: Annotated[bool, typer.Option("--newest", help="The latest released first.")] = False,
    fastest: Annotated[bool, typer.Option("--fastest", help="Those first that were the first to answer.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the vendors again instead of a cache.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Tell which have appeared or vanished, and go on as it happens.")
    ] = False,
    as_json: JsonOption = False,
    broker: BrokerOption = None,
) -> None:
    """List models with their prices, or show the inputs and options of one.

    Prices are of a million tokens, where nothing else is said.
    """
    from mediaconduit_broker.cli import model_list, model_news, model_view
    from mediaconduit_broker.cli.running import with_broker

    if newest and fastest:
        raise typer.BadParameter("--newest and --fastest are two orders; choose one")
    if only and provider:
        raise typer.BadParameter("the provider is named twice: as PROVIDER and with --provider")
    wanted = model_list.Wanted(free=free, features=tuple(feature or ()), search=search, newest=newest, fastest=fastest)
    owner = provider or only
    if watch and "/" in only.removeprefix("providers/"):
        raise typer.BadParameter("--watch follows all models of a provider, not one")

    async def command(client: Client) -> None:
        if watch:
            await model_news.follow(client, owner, as_json=as_json)
        elif "/" in only.removeprefix("providers/"):
            model_view.show(await client.model(only).describe(), as_json=as_json)
        else:
            of = client.provider(owner) if owner else client
            model_list.show(await of.models(capability, refresh=refresh), wanted, as_json=as_json)

    with_broker(context, broker, command)


def voices(
    context: typer.Context,
    provider: ProviderArgument = "",
    as_json: JsonOption = False,
    broker: BrokerOption = None,
) -> None:
    """List voices, for ``-O audio.voice=…``."""
    from mediaconduit_broker.cli import views
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        of = client.provider(provider) if provider else client
        views.show_voices(await of.voices(), as_json=as_json)

    with_broker(context, broker, command)
