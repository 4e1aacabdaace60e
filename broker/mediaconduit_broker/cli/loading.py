"""Shows a provider being loaded: live on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from typing import Final

from mediaconduit.errors import PreconditionError
from mediaconduit.v1 import broker_pb2

from mediaconduit_broker.cli import output

_FRAME: Final = " ╰─▶├×│"
"""What uv draws around its messages."""

Step = broker_pb2.LoadProviderResponse | broker_pb2.RefreshProviderResponse
Warnings = Callable[[str], Awaitable[Iterable[str]]]
"""What a provider of that name is warned about."""
Show = Callable[[str, float | None, str], None]
"""Shows a step: its message, how far it is (0 to 1), and who it is about where that was not known before."""


async def follow(steps: AsyncIterable[Step], verb: str, name: str, warnings: Warnings | None = None) -> None:
    """Shows the steps, what it is warned about, then the result. A failed build's last lines precede its error."""
    started, last = time.monotonic(), None
    with build_log(), display(name) as show:
        async for step in steps:
            last = step
            fraction = step.fraction if step.HasField("fraction") else None
            show(step.message, fraction, step.provider.name.removeprefix("providers/"))
    if last is not None:
        provider = last.provider
        models = f"{provider.model_count} model{'' if provider.model_count == 1 else 's'}"
        name = provider.name.removeprefix("providers/")
        seconds = time.monotonic() - started
        for warning in await warnings(name) if warnings is not None else ():
            output.note(f"warning: {warning}")
        output.done(verb, name, f"{models}, {seconds:.1f} s")


@contextlib.contextmanager
def build_log() -> Iterator[None]:
    """Shows the last lines of a failed build before its error."""
    try:
        yield
    except PreconditionError as error:
        lines = error.metadata.get("last_lines", "").splitlines()
        for line in lines:
            if line.strip(_FRAME) not in error.hint:  # some errors have the telling lines as their hint
                output.note(f"  {line}")
        raise


@contextlib.contextmanager
def display(name: str) -> Iterator[Show]:
    """For the time of the block, a function that shows a step."""
    yield from _bar(name) if output.console(stderr=True).is_terminal else _lines(name)


def _bar(name: str) -> Iterator[Show]:
    bar = output.progress_bar()
    with bar:
        task = bar.add_task("asking the broker", total=None, title=output.safe(name))

        def show(message: str, fraction: float | None, about: str) -> None:
            total = None if fraction is None else 1.0
            words, title = output.safe(message), output.safe(about or name)
            bar.update(task, description=words, total=total, completed=fraction or 0, title=title)

        yield show


def _lines(name: str) -> Iterator[Show]:
    last = ""

    def show(message: str, fraction: float | None, about: str) -> None:
        nonlocal last
        if message and message != last:
            output.note(f"{about or name}: {message}")
        last = message

    yield show
