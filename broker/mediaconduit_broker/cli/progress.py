"""What is shown while a call runs: on stderr, on a terminal only, gone when the output comes."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from mediaconduit.events import DataDelta, Event, OutputStarted, Progress, Started

from mediaconduit_broker.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Waiting:
    """A spinner that becomes a bar when the provider tells how far it is. `hide` it before writing to the terminal.

    Args:
        stream: Shown only when this is a terminal.
        title: What is waited for.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        self._title = output.safe(title)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._wanted = stream.isatty()
        self._bytes = 0

    def __enter__(self) -> Self:
        if self._wanted:
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    def hide(self) -> None:
        """Removes it for good."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def event(self, event: Event) -> None:
        """Takes note of what happens."""
        if self._bar is None or self._task is None:
            return
        match event:
            case Started():
                self._bar.update(self._task, description="running")
            case Progress():
                total = None if event.fraction is None else 1.0
                words = event.message or event.stage
                if event.queue_position is not None:
                    words += f" ({event.queue_position} before it)"
                self._bar.update(
                    self._task, total=total, completed=event.fraction or 0, description=output.safe(words)[:60]
                )
            case OutputStarted():
                self._bar.update(self._task, description=event.media_type)
            case DataDelta():
                self._bytes += len(event.data)
                self._bar.update(self._task, description=output.human_bytes(self._bytes))

    def _show(self) -> None:
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.fields[title]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.description}", style="dim", markup=False),
            TimeElapsedColumn(),
            console=output.console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("waiting", total=None, title=self._title)
        self._bar.start()
