"""What commands print: short, aligned, plain where nobody looks at a terminal.

Results go to stdout, everything about them to stderr. Colours follow the terminal and ``NO_COLOR``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import Console
    from rich.progress import Progress

Cell: TypeAlias = tuple[str, str] | str
"""Text, or text and its style."""

_CONTROLS = {code: "�" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


@cache
def console(*, stderr: bool = False) -> Console:
    """The console of a stream; made when something is to be printed."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)


def styled(*pieces: tuple[str, str], stderr: bool = False, end: str = "\n") -> None:
    """Prints text in pieces of (text, style), without wrapping it."""
    from rich.text import Text

    console(stderr=stderr).print(Text.assemble(*pieces), end=end)


def note(message: str, *, style: str = "dim") -> None:
    """Something about the result, on stderr."""
    styled((safe(message), style), stderr=True)


def print_json(value: Any) -> None:
    """One JSON document on one line, or indented where a person looks."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
    sys.stdout.flush()


def plain(message: Message) -> dict[str, Any]:
    """A message as plain data with the contract's names, absent values included."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Prints rows below their headings; a heading that begins with ">" aligns to the right.

    A terminal shows as much of a line as fits; a pipe gets all of it.
    """
    from rich.cells import cell_len
    from rich.text import Text

    lines = [[(name.lstrip(">"), "bold") for name in columns]]
    lines += [[(safe(cell), "") if isinstance(cell, str) else (safe(cell[0]), cell[1]) for cell in row] for row in rows]
    widths = [max(cell_len(line[at][0]) for line in lines) for at in range(len(columns))]
    target = console()
    for line in lines:
        text = Text()
        for column, width, (content, style) in zip(columns, widths, line, strict=True):
            space = " " * (width - cell_len(content))
            text.append(space + content if column.startswith(">") else content, style)
            text.append("  " if column.startswith(">") else space + "  ")
        text.rstrip()
        if target.is_terminal:
            target.print(text, no_wrap=True, overflow="ellipsis", soft_wrap=False)
        else:
            target.print(text)


def facts(pairs: Mapping[str, tuple[str, str] | str]) -> None:
    """Prints names and values below each other, without those that are empty."""
    shown = {name: value for name, value in pairs.items() if (value if isinstance(value, str) else value[0])}
    width = max(map(len, shown), default=0) + 2
    for name, value in shown.items():
        text, style = (value, "") if isinstance(value, str) else value
        first, *rest = safe(text).splitlines() or [""]
        styled((name.ljust(width), "dim"), (first, style))
        for line in rest:
            styled((" " * width, ""), (line, style))


def progress_bar() -> Progress:
    """A line on stderr that goes away: title, bar, words, time. Its task needs a field ``title``."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(style="cyan"),
        TextColumn("{task.fields[title]}", style="bold", markup=False),
        BarColumn(bar_width=24, style="dim", complete_style="green", finished_style="green", pulse_style="cyan"),
        TextColumn("{task.description}", style="dim", markup=False),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )


def safe(text: str) -> str:
    """Text of others without the control characters that move a terminal's cursor or change its title."""
    return text.translate(_CONTROLS)


def human_bytes(count: int) -> str:
    """ "38 MB"; empty for 0."""
    if count < 1000:
        return f"{count} B" if count else ""
    size = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.5 or unit == "TB":
            break
    return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"


def ago(seconds_since_epoch: float) -> str:
    """ "3m" ago, without the word."""
    seconds = max(0, int(time.time() - seconds_since_epoch))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def done(verb: str, name: str, details: str = "") -> None:
    """A change that was made: "+ added cowsay (5 models, 0.4 s)", on stderr."""
    tail = f" ({details})" if details else ""
    styled((verb, "bold green"), (f" {safe(name)}", "bold"), (safe(tail), "dim"), stderr=True)
