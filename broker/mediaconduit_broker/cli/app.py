"""The commands, in the order ``--help`` shows them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from mediaconduit_broker.cli import (
    doctor,
    down,
    execute,
    failures,
    gc,
    lock,
    migrate,
    models,
    new,
    provider,
    publish,
    test,
    transform,
    trust,
    up,
    version,
)
from mediaconduit_broker.cli.grouping import Ordered, ReaderGoneError
from mediaconduit_broker.cli.invocation import Invocation

app = typer.Typer(
    name="mediaconduit",
    help="One endpoint for every AI media provider: runs the broker and talks to it.",
    epilog="\b\nExit codes:\n" + "\n".join(f"{code:>5}  {text}" for code, text in failures.EXIT_CODES.items()),
    cls=Ordered,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command("up")(up.up)
app.command("down")(down.down)
app.add_typer(provider.app, name="provider")
app.add_typer(trust.app, name="trust")
app.command("lock")(lock.lock)
app.command("models")(models.models)
app.command("voices")(models.voices)
app.command("transform")(transform.transform)
app.command("new")(new.new)
app.command("migrate")(migrate.migrate)
app.command("exec", context_settings={"allow_interspersed_args": False})(execute.execute)
app.command("test")(test.check_provider)
app.command("publish")(publish.publish)
app.command("gc")(gc.gc)
app.command("doctor")(doctor.doctor)
app.command("version")(version.version)


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version.print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str], invocation: Invocation) -> int:
    """Runs a command line; gives its exit code. Never raises but for what would be a defect in here."""
    try:
        code = _run(arguments, invocation)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGoneError):
        # What is still buffered goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.OK
    return code


def _run(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        code = app(list(arguments), prog_name="mediaconduit", obj=invocation, standalone_mode=False)
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # every one of them that the parser raises has it
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return failures.INTERRUPTED
    except (BrokenPipeError, ReaderGoneError):
        raise
    except Exception as error:
        return failures.report(error, debug=invocation.debug)
    return code if isinstance(code, int) else failures.OK
