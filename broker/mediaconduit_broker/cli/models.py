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
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the vendors again instead of a cache.")] = False,
    as_json: JsonOption = False,
    broker: BrokerOption = None,
) -> None:
    """List models, or show the inputs and options of one."""
    from mediaconduit_broker.cli import model_view, views
    from mediaconduit_broker.cli.running import with_broker

    async def command(client: Client) -> None:
        if "/" in only.removeprefix("providers/"):
            model_view.show(await client.model(only).describe(), as_json=as_json)
            return
        of = client.provider(only) if only else client
        views.show_models(await of.models(capability, refresh=refresh), as_json=as_json)

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
