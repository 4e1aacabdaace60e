"""Where log lines go: stderr, one line per record."""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

_PRIORITY: Final = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


class _LineFormatter(logging.Formatter):
    """One line a record, with the priority that journald and the broker read when `prefixed`."""

    def __init__(self, *, prefixed: bool) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._prefixed = prefixed

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("\n", "\\n")
        if not self._prefixed:
            return line
        return next(prefix for level, prefix in _PRIORITY if record.levelno >= level) + line


def configure(*, prefixed: bool, level: int = logging.INFO) -> None:
    """Sends log records to stderr and makes what authors print appear line by line."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True, errors="backslashreplace")
    handler: logging.StreamHandler[TextIO] = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(prefixed=prefixed))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
