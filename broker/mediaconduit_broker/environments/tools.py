"""How builds run programs: with few variables, away from anybody's configuration, their output kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import uv

from mediaconduit_broker.environments.errors import build_failed
from mediaconduit_broker.runners.command import UV_VARIABLES, CommandFailedError, run_command
from mediaconduit_broker.secrets import hide_credentials

_PLACES: Final = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|XDG_(CACHE|CONFIG|DATA)_HOME|"
    r"GO(PATH|CACHE|MODCACHE|PROXY|SUMDB)|CARGO_(HOME|TARGET_DIR)|RUSTUP_HOME|"
    r"NPM_CONFIG_(REGISTRY|CACHE|USERCONFIG|GLOBALCONFIG)",
    re.I,
)
"""Variables that say where things are."""
_NICE: Final = 10
"""Calls in progress go before builds."""
_NOWHERE: Final = Path("/")
"""Where programs work by default: uv obeys a pyproject.toml or uv.toml it finds where it is started, or above."""


def build_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the broker's variables those that builds get: where things are. Addresses may carry credentials."""
    passed = {key: value for key, value in environ.items() if _PLACES.fullmatch(key) or key in UV_VARIABLES}
    # An interpreter is found or missed, never fetched.
    return passed | {"UV_PYTHON_DOWNLOADS": "never"}


def foreign_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The same for programs other than uv, which may be the repository's: without anything that holds credentials."""
    return {
        key: value for key, value in environ.items() if not key.startswith("UV_") and hide_credentials(value) == value
    }


class Tools:
    """Runs programs for one build.

    Args:
        environ: All variables uv gets; other programs get what `foreign_environ` leaves of them.
        log: Told every command line and what it wrote, but for credentials in addresses.
        shared: Whether other users are to run what is made.
    """

    def __init__(
        self, environ: Mapping[str, str], log: Callable[[str], None] = lambda text: None, *, shared: bool = False
    ) -> None:
        self.environ = environ
        self.shared = shared
        self._foreign = foreign_environ(environ)
        self._log = log

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
        environ = self.environ if command[0] == uv.find_uv_bin() else self._foreign
        try:
            output = await run_command(*command, environ=environ, folder=folder, nice=_NICE)
        except CommandFailedError as error:
            self.log(f"{error.output}\nexit code {error.returncode}\n")
            message = failure or f"the provider's environment could not be built (step {step})"
            raise build_failed(step, hide_credentials(message), hide_credentials(error.output)) from None
        except FileNotFoundError:
            self.log("no such program\n")
            name = Path(command[0]).name
            raise build_failed(
                step, f"there is no program {name}", hint=f"install {name} where the broker's PATH finds it"
            ) from None
        self.log(output)
        return output

    def log(self, text: str) -> None:
        """Adds to the build's log."""
        self._log(hide_credentials(text))
