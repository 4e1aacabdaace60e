"""Groups of commands that are listed in the order they were written."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class ReaderGoneError(Exception):
    """Whoever read our output has had enough."""


_ORDER = ("up", "provider", "models", "voices", "transform", "new", "exec", "test", "doctor", "version")


class Ordered(TyperGroup):
    """Typer lists sub-groups behind all commands; the order here is that of a first hour with the tool."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command. Raises `ReaderGoneError` where Typer would end the process itself."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGoneError from None

    def list_commands(self, ctx: Any) -> list[str]:
        """Names as ``--help`` shows them."""
        return sorted(super().list_commands(ctx), key=lambda name: _ORDER.index(name) if name in _ORDER else 99)
