"""The life of a sidecar's process: import, serve, drain, exit."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from mediaconduit.tasks import cancel_and_join, start

from mediaconduit_provider import temporary
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.host import Host
from mediaconduit_provider.processes import kill_children
from mediaconduit_provider.provider import Provider
from mediaconduit_provider.server import Server

EXIT_DRAINED: Final = 0
EXIT_USAGE: Final = 64
EXIT_PROVIDER: Final = 70
"""The author's module could not be imported, constructed or set up."""

_log = logging.getLogger(__name__)


class EntryError(Exception):
    """The entry "module:Class" does not lead to a provider."""


def load(entry: str) -> Provider:
    """Imports and constructs the provider. Raises `EntryError`, whose text says what to change."""
    module_name, _, class_name = entry.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise EntryError(f"module {module_name!r} could not be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Provider)):
        raise EntryError(f"{entry!r} is not a subclass of mediaconduit_provider.Provider")
    try:
        return found()
    except Exception as error:
        raise EntryError(f"{entry!r} could not be constructed: {type(error).__name__}: {error}") from error


async def run(provider: Provider, config: HostConfig) -> NoReturn:
    """Serves until SIGTERM, SIGINT or the end of the lifeline, and ends the process."""
    leave(await _serve(provider, config))


async def _serve(provider: Provider, config: HostConfig) -> int:
    host = Host(provider, config)
    server = Server(host)
    stopping = asyncio.Event()
    hurry = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, config, stopping, hurry)
    if config.lifeline:
        _watch_lifeline(loop, hurry.set, config.close_grace)
    try:
        await server.start()
    except OSError as error:
        _log.error("%s", error)
        return EXIT_USAGE
    setup = start(_setup(host, server), name="setup")
    failed = await _until(setup, stopping, hurry)
    await server.draining()
    await host.finish(0.0 if failed or hurry.is_set() else config.grace, cut_short=hurry)
    await server.stop()
    return EXIT_PROVIDER if failed else EXIT_DRAINED


def _stop(config: HostConfig, stopping: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first signal drains, the second one does not wait for calls. Code that blocks is not waited for either."""
    if stopping.is_set():
        hurry.set()
        return
    stopping.set()
    last_resort = threading.Timer(config.grace + config.close_grace + 1.0, leave, (EXIT_DRAINED,))
    last_resort.daemon = True
    last_resort.start()


async def _setup(host: Host, server: Server) -> None:
    await host.setup()
    await server.ready()


async def _until(setup: asyncio.Task[None], *events: asyncio.Event) -> bool:
    """Waits for one of the events, or for a setup that fails: then True."""
    waits = [start(event.wait(), name="stop") for event in events]
    try:
        await asyncio.wait([setup, *waits], return_when=asyncio.FIRST_COMPLETED)
        if setup.done() and setup.exception() is None:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_join(setup, *waits)
    if setup.cancelled() or setup.exception() is None:
        return False
    _log.error("setup failed", exc_info=setup.exception())
    return True


def _watch_lifeline(loop: asyncio.AbstractEventLoop, closed: Callable[[], None], grace: float) -> None:
    """Calls `closed` on the loop at EOF of stdin, and ends the process when that has not in time."""

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        try:
            loop.call_soon_threadsafe(closed)
        except RuntimeError:
            return
        ended.wait(grace)
        leave(EXIT_DRAINED)

    ended = threading.Event()
    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def leave(code: int) -> NoReturn:
    """Ends the process with its children, whatever threads and tasks of authors still do."""
    try:
        kill_children()
        temporary.remove()
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
