"""The life of a sidecar's process: listen, import, serve, drain, exit."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NoReturn

from mediaconduit.tasks import cancel_and_join, start

from mediaconduit_provider import temporary
from mediaconduit_provider.config import HostConfig
from mediaconduit_provider.credentials import Credentials
from mediaconduit_provider.first_configure import FirstConfigure
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


class Sidecar:
    """One process: its address, and what ends it. Made on the loop.

    Where the config names secrets, `listen` comes first and returns with them in force; then the provider is imported,
    by the main thread and with no loop running, as authors' modules expect; then `serve`.
    """

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._server = Server(config)
        self._credentials = Credentials(config.secrets)
        self._first: FirstConfigure | None = None
        if config.lifeline:
            _watch_lifeline(self._loop, self._hurry.set, config.close_grace)

    async def listen(self) -> None:
        """Answers until the first Configure has come. A sidecar that is stopped before that leaves."""
        self._first = FirstConfigure(self._config, self._credentials)
        self._server.serve_first(self._first)
        await self._start()
        with self._signals():
            secrets = await self._first_secrets(self._first)
            if secrets is None:
                await self._server.stop()
                leave(EXIT_DRAINED)
        self._credentials.put(secrets)

    async def serve(self, provider: Provider, provider_id: str) -> NoReturn:
        """Serves until SIGTERM, SIGINT or the end of the lifeline, and ends the process."""
        config = replace(self._config, provider_id=provider_id)
        host = Host(provider, config, self._credentials)
        servicer = self._server.serve(host)
        with self._signals():
            if self._first is None:
                await self._start()
            else:
                self._first.hand_over(servicer)
            setup = start(_setup(host, self._server), name="setup")
            failed = await _until(setup, self._stopping, self._hurry)
            await self._server.draining()
            hurried = failed or self._hurry.is_set()
            await host.finish(0.0 if hurried else config.grace, cut_short=self._hurry)
            await self._server.stop()
            leave(EXIT_PROVIDER if failed else EXIT_DRAINED)

    async def _first_secrets(self, first: FirstConfigure) -> Mapping[str, str] | None:
        secrets = start(first.secrets(), name="first configure")
        waits = (secrets, *(start(event.wait(), name="stop") for event in (self._stopping, self._hurry)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return secrets.result() if secrets.done() else None
        finally:
            await cancel_and_join(*waits)

    async def _start(self) -> None:
        try:
            await self._server.start()
        except OSError as error:
            _log.error("%s", error)
            leave(EXIT_USAGE)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop the sidecar for the time of the block. Outside of it they end the process at once."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            self._loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in numbers:
                self._loop.remove_signal_handler(number)

    def _stop(self) -> None:
        """The first signal drains, the second one does not wait for calls. Nobody waits for code that blocks."""
        if self._stopping.is_set():
            self._hurry.set()
            return
        self._stopping.set()
        last_resort = threading.Timer(self._config.grace + self._config.close_grace + 1.0, leave, (EXIT_DRAINED,))
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
