"""A broker in the foreground: its log, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import psutil
import structlog
from mediaconduit import tasks
from mediaconduit.privacy import hide_memory

from mediaconduit_broker.changes import Changes
from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.children import adopting
from mediaconduit_broker.cli.failures import INTERRUPTED
from mediaconduit_broker.cli.version import own_version
from mediaconduit_broker.config import Config
from mediaconduit_broker.registry import Registry
from mediaconduit_broker.server import running
from mediaconduit_broker.supervision import State, Supervisor

_log = structlog.get_logger("mediaconduit")


async def serve(config: Config, environ: Mapping[str, str], base: Path) -> int:
    """Serves until SIGINT or SIGTERM. A second signal cuts running calls short, a third leaves at once."""
    # Vendors' keys may be in our variables, and sidecars of this user could read those.
    hide_memory()
    with _signals() as stopping:
        # Below a keeper sidecars are its own; a keeper is nobody's child, or it would end with the broker.
        family = contextlib.nullcontext() if config.detached else adopting()
        async with family, running(config, environ, base=base) as broker, _narrating(broker.registry):
            print(f"mediaconduit {own_version()} serves on {broker.address}", flush=True)
            await stopping.wait()
            _log.info("stopping", providers=len(broker.registry.all()))
    _log.info("stopped")
    return 0


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    presses = 0

    def pressed() -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            stopping.set()
        elif presses == 2:
            _log.warning("stopping at once", hint="running calls are cut short")
            _kill_children()
        else:
            _kill_children()
            os._exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pressed)
    try:
        yield stopping
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _kill_children() -> None:
    """Ends all sidecars and builds now; the orderly stop that is under way then has nothing left to wait for."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


@contextlib.asynccontextmanager
async def _narrating(registry: Registry) -> AsyncIterator[None]:
    """Logs a line for every change of a provider's state, for the time of the block."""
    with registry.changes() as changes:
        task = tasks.start(_narrate(changes), name="narrator")
        try:
            yield
        finally:
            await tasks.cancel_and_join(task)


async def _narrate(changes: Changes) -> None:
    last: dict[str, tuple[State, str]] = {}
    while True:
        change = await changes.get()
        supervisor, step = change.supervisor, change.step
        name, state = supervisor.spec.provider_id, supervisor.state
        if change.removed:
            last.pop(name, None)
            _log.info("removed", provider=name)
        elif step is not None:
            _log.info(step.message, provider=name)
        elif last.get(name) != (state, supervisor.reason):
            last[name] = (state, supervisor.reason)
            _tell(name, state, supervisor)


def _tell(name: str, state: State, supervisor: Supervisor) -> None:
    facts: dict[str, object] = {"provider": name}
    if state is State.READY:
        facts |= {"models": len(supervisor.last_models), "starts": supervisor.start_count}
    if state in (State.FAILED, State.BACKOFF) and supervisor.reason:
        facts["why"] = supervisor.reason
    say = _log.error if state is State.FAILED else _log.warning if state is State.BACKOFF else _log.info
    say(state.name.lower(), **facts)


def set_up_logging(*, as_json: bool, verbose: bool) -> None:
    """Our log and that of libraries, as lines on stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
    ]
    renderer: structlog.types.Processor
    if as_json:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=output.console(stderr=True).color_system is not None,
            pad_event_to=24,
            exception_formatter=structlog.dev.plain_traceback,
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    # Its debug lines tell of every selector and every subprocess.
    logging.getLogger("asyncio").setLevel(logging.WARNING)
