"""Runs commands: in a loop, against a broker, with every ending accounted for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import typer
from mediaconduit.errors import MediaConduitError

from mediaconduit_broker.cli.failures import NoBrokerError, is_unreachable
from mediaconduit_broker.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from mediaconduit.client import Client


def run_async(work: Coroutine[Any, Any, int | None]) -> None:
    """Runs a command's coroutine; what it returns is the exit code."""
    import asyncio

    if code := asyncio.run(work):
        raise typer.Exit(code)


def with_broker(context: typer.Context, broker: str | None, command: Callable[[Client], Awaitable[int | None]]) -> None:
    """Runs a command against the broker."""

    async def work() -> int | None:
        async with connected(invocation_of(context), broker) as client:
            return await command(client)

    run_async(work())


@contextlib.asynccontextmanager
async def connected(invocation: Invocation, broker: str | None) -> AsyncIterator[Client]:
    """The broker, for the time of the block. Raises `NoBrokerError` when it does not answer."""
    from mediaconduit.client import connect

    target = broker or invocation.broker
    try:
        async with connect(target, api_key=invocation.api_key) as client:
            yield client
    except MediaConduitError as error:
        if is_unreachable(error):
            raise NoBrokerError(target, error.message) from error
        raise
