"""What is shown while a call runs: on stderr, on a terminal only, gone when the output comes."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

from mediaconduit.events import DataDelta, Event, OutputStarted, Progress, Started

from mediaconduit_broker.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE: Final = 0.3
"""Seconds before it is shown: quick answers come without a flicker, and without waiting for Rich."""


class Waiting:
    """A spinner that becomes a bar when the provider tells how far it is. `hide` it before writing to the terminal.

    Args:
        stream: Shown only when this is a terminal.
        title: What is waited for.
        after: Seconds until it is shown.
    """

    def __init__(self, stream: TextIO, title: str, *, after: float = PATIENCE) -> None:
        self._title = output.safe(title)
        self._wanted = stream.isatty()
        self._after = after
        self._timer: asyncio.TimerHandle | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._words = "waiting"
        self._fraction: float | None = None
        self._bytes = 0

    async def __aenter__(self) -> Self:
        if self._wanted:
            self._timer = asyncio.get_running_loop().call_later(self._after, self._show)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    def hide(self) -> None:
        """Removes it for good."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def event(self, event: Event) -> None:
        """Takes note of what happens."""
        match event:
            case Started():
                self._words = "running"
            case Progress():
                self._words, self._fraction = event.message or event.stage, event.fraction
                if event.queue_position is not None:
                    self._words += f" ({event.queue_position} before it)"
            case OutputStarted():
                self._words = event.media_type
            case DataDelta():
                self._bytes += len(event.data)
                self._words = output.human_bytes(self._bytes)
            case _:
                return
        self._update()

    def _show(self) -> None:
        self._bar = output.progress_bar()
        self._task = self._bar.add_task("", total=None, title=self._title)
        self._update()
        self._bar.start()

    def _update(self) -> None:
        if self._bar is not None and self._task is not None:
            words = output.safe(self._words)[:60]
            total = None if self._fraction is None else 1.0
            self._bar.update(self._task, description=words, total=total, completed=self._fraction or 0)
