"""Text in a balloon, measured in columns of a terminal rather than in characters."""

import unicodedata
from collections.abc import Iterator


def cells(text: str) -> int:
    """Columns the text takes: East Asian wide characters take two, combining and invisible ones none."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def wrap(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns. Line breaks of the text stay; a line that fits stays as it is."""
    for line in text.expandtabs(4).strip("\n").splitlines():
        printable = "".join(char for char in line if unicodedata.category(char) != "Cc").rstrip()
        yield from [printable] if cells(printable) <= width else _fill(printable.split(), width)


def _fill(words: list[str], width: int) -> Iterator[str]:
    line, used = "", 0
    for word in words:
        size = cells(word)
        if line and used + 1 + size <= width:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            yield line
        *whole, line = _pieces(word, width) if size > width else [word]
        yield from whole
        used = cells(line)
    yield line


def _pieces(word: str, width: int) -> list[str]:
    pieces, used = [""], 0
    for char in word:
        size = _cell(char)
        if used + size > width:
            pieces.append("")
            used = 0
        pieces[-1] += char
        used += size
    return pieces


def balloon(text: str, *, width: int, think: bool) -> Iterator[str]:
    """The lines of a balloon around the text."""
    lines = list(wrap(text, width))
    inner = max(map(cells, lines))
    yield " " + "_" * (inner + 2)
    for number, line in enumerate(lines):
        left, right = ("(", ")") if think else _edges(number, len(lines))
        yield f"{left} {line}{' ' * (inner - cells(line))} {right}"
    yield " " + "-" * (inner + 2)


def _edges(number: int, count: int) -> tuple[str, str]:
    if count == 1:
        return "<", ">"
    return ("/", "\\") if number == 0 else ("\\", "/") if number == count - 1 else ("|", "|")
