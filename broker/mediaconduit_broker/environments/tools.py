"""How builds run programs: with few variables, away from anybody's configuration, their output kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mediaconduit_broker.environments.errors import build_failed
from mediaconduit_broker.runners.command import CommandFailedError, run_command

_PASSED_ON: Final = re.compile(
    r"^(PATH|HOME|LANG|LC_\w+|TMPDIR|SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|UV_\w+|XDG_\w+)$", re.I
)
_NOWHERE: Final = Path("/")
"""Where programs work by default: uv obeys a pyproject.toml or uv.toml it finds where it is started, or above."""


def build_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the broker's variables those that say where things are. Builds get no others."""
    passed = {key: value for key, value in environ.items() if _PASSED_ON.match(key)}
    # An interpreter is found or missed, never fetched.
    return passed | {"UV_PYTHON_DOWNLOADS": "never"}


class Tools:
    """Runs programs for one build.

    Args:
        environ: All variables they get.
        log: Told every command line and what it wrote.
    """

    def __init__(self, environ: Mapping[str, str], log: Callable[[str], None] = lambda text: None) -> None:
        self.environ = environ
        self.log = log

    async def run(self, *command: str, folder: Path = _NOWHERE, step: str = "plan", failure: str = "") -> str:
        """What the program wrote.

        Args:
            command: The program and its arguments.
            folder: Where it works.
            step: Of the build, for the error.
            failure: What it means when it fails.

        Raises:
            PreconditionError: BUILD_FAILED: it failed, or there is no such program.
        """
        self.log(f"$ {' '.join(command)}\n")
        try:
            output = await run_command(*command, environ=self.environ, folder=folder)
        except CommandFailedError as error:
            self.log(f"{error.output}\nexit code {error.returncode}\n")
            message = failure or f"the provider's environment could not be built (step {step})"
            raise build_failed(step, message, error.output) from None
        except FileNotFoundError:
            self.log("no such program\n")
            name = Path(command[0]).name
            raise build_failed(
                step, f"there is no program {name}", hint=f"install {name} where the broker's PATH finds it"
            ) from None
        self.log(output)
        return output
