"""Writes the reference part of ``docs/cli.md`` from the commands themselves.

``python -m mediaconduit_broker.cli.reference docs/cli.md`` brings the file up to date; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from mediaconduit_broker.cli.failures import EXIT_CODES

MARK: Final = "<!-- From here on the file is made by `python -m mediaconduit_broker.cli.reference docs/cli.md`. -->\n"


def render() -> str:
    """Exit codes and every command with its arguments and options, as Markdown."""
    from mediaconduit_broker.cli.app import app

    lines = ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += ["", "## Commands", ""]
    for path, command in _commands(typer.main.get_command(app), "mediaconduit"):
        lines += _section(path, command)
    return "\n".join(lines).rstrip() + "\n"


def update(text: str) -> str:
    """The file with its reference part made anew."""
    written, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError("the file lacks the mark")
    return f"{written}{mark}\n{render()}"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from _commands(command.get_command(context, name), f"{path} {name}")


def _section(path: str, command: Any) -> list[str]:
    parameters = [p for p in command.params if p.name != "help"]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(_in_usage(p) for p in arguments)])
    lines = [f"### {path}", "", command.help.strip(), "", "```", usage, "```", ""]
    if parameters:
        lines += ["| | |", "|---|---|"]
        lines += [f"| `{_cell(_name(p))}` | {_cell(p.help)} |" for p in arguments]
        lines += [f"| `{_cell(_option(p))}` | {_cell(p.help)} |" for p in options]
        lines.append("")
    return lines


def _name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _in_usage(parameter: Any) -> str:
    name = _name(parameter) + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    return f"{names} {parameter.metavar or 'TEXT'}"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(update(file.read_text(encoding="utf-8")), encoding="utf-8")
