"""``mediaconduit models --watch``: models that appear and vanish, as it happens."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mediaconduit.v1 import broker_pb2

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.model_list import does, short

if TYPE_CHECKING:
    from mediaconduit.client import Client

_MARKS: Final = {
    broker_pb2.MODEL_CHANGE_KIND_APPEARED: ("+", "green"),
    broker_pb2.MODEL_CHANGE_KIND_VANISHED: ("-", "red"),
    broker_pb2.MODEL_CHANGE_KIND_CHANGED: ("~", "yellow"),
}


async def follow(client: Client, provider: str, *, as_json: bool) -> None:
    """Prints what has changed since the broker started, and goes on until it is interrupted.

    Args:
        client: Of the broker.
        provider: Only this one's; empty = all.
        as_json: One JSON object per line.
    """
    async with aclosing(_changes(client, provider)) as changes:
        async for change in changes:
            if as_json:
                sys.stdout.write(json.dumps(output.plain(change), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            else:
                _show(change)


async def _changes(client: Client, provider: str) -> AsyncGenerator[broker_pb2.ModelChange, None]:
    wanted = f"providers/{provider.removeprefix('providers/')}" if provider else ""
    async with client.broker.watch() as feed:
        async for message in feed:
            if not wanted or message.provider.name == wanted:
                for change in message.model_changes:
                    yield change


def _show(change: broker_pb2.ModelChange) -> None:
    mark, style = _MARKS.get(change.kind, ("?", ""))
    time = datetime.fromtimestamp(change.time.ToMilliseconds() / 1000).strftime("%Y-%m-%d %H:%M:%S")
    gained, lost = does(change.capabilities_appeared), does(change.capabilities_vanished)
    said = [f"+ {gained}"] if gained else []
    said += [f"- {lost}"] if lost else []
    if change.kind != broker_pb2.MODEL_CHANGE_KIND_CHANGED:
        said = [gained or lost]
    whole = "" if "/models/" in change.name else " (all its models together)"
    name = output.safe(short(change.name))
    output.styled((f"{time} ", "dim"), (f"{mark} {name}{whole}", style), (f"  {'  '.join(said)}", "dim"))
