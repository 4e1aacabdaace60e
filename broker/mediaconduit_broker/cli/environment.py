"""Builds a provider's environment for development and becomes a command in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from mediaconduit_broker.cli import loading
from mediaconduit_broker.cli.children import watch_children_without_threads
from mediaconduit_broker.cli.failures import UsageError
from mediaconduit_broker.config import Limits
from mediaconduit_broker.environments import Environment, EnvironmentBuilder, EnvironmentRequest, hosts
from mediaconduit_broker.manifest import Runtime, read_manifest
from mediaconduit_broker.sources import Checkout, Sources
from mediaconduit_broker.state import StateFolder
from mediaconduit_broker.trust import check_by_hand

_OF_ANOTHER_PYTHON: Final = ("PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX")


def execute(source: str, command: Sequence[str], environ: Mapping[str, str], state_dir: Path | None) -> None:
    """Replaces this process by the command.

    Raises:
        MediaConduitError: The source, its manifest or its requirements are wrong.
        UsageError: There is no such command.
    """
    state = StateFolder.at(state_dir)
    watch_children_without_threads()
    check_by_hand(source, state, base=Path.cwd())
    checkout = asyncio.run(_checkout(source, state, environ))
    manifest = read_manifest(checkout.folder)
    if manifest.runtime is Runtime.EXEC:
        # Its own tools make its environment; of ours it needs the host library, where it points to one.
        hosts.link(hosts.wanted(checkout.folder), checkout.folder)
        _become(command, checkout.folder, dict(environ), f"install {command[0]} where PATH finds it")
    if manifest.runtime is not Runtime.PYTHON:
        raise UsageError(
            f"{manifest.id} is no Python provider: it has no environment to run commands in",
            hint="use its own tools in its folder",
        )
    request = EnvironmentRequest(
        provider_id=manifest.id,
        source=checkout.origin,
        folder=checkout.folder,
        manifest=manifest,
        groups=("dev",),
    )
    state.environments.mkdir(parents=True, exist_ok=True, mode=0o700)
    builder = EnvironmentBuilder(state.environments, environ, timeout=Limits().build_timeout)

    async def build() -> Environment:
        try:
            with loading.build_log(), loading.display(manifest.id) as show:
                return await builder.ensure(request, lambda step: show(step.message, step.fraction, ""))
        finally:
            await builder.aclose()

    environment = asyncio.run(build())
    environment.lease.keep_over_exec()
    hint = "development dependencies stand in [dependency-groups] dev of its pyproject.toml"
    _become(command, checkout.folder, _variables(environ, environment.folder), hint)


def _become(command: Sequence[str], folder: Path, variables: Mapping[str, str], hint: str) -> NoReturn:
    program = shutil.which(command[0], path=variables.get("PATH", os.defpath))
    if program is None:
        raise UsageError(f"there is no command {command[0]!r} in the environment of this provider", hint=hint)
    os.chdir(folder)
    os.execve(program, list(command), dict(variables))  # noqa: S606  # what the user asked for, without a shell


async def _checkout(source: str, state: StateFolder, environ: Mapping[str, str]) -> Checkout:
    async with contextlib.aclosing(Sources(state.sources, environ, base=Path.cwd())) as sources:
        with loading.display(source) as show:
            return await sources.resolve(source, report=lambda message, fraction: show(message, fraction, ""))


def _variables(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The caller's variables, with the environment in front of everything."""
    kept = {key: value for key, value in environ.items() if key not in _OF_ANOTHER_PYTHON}
    path = os.pathsep.join([str(folder / "bin"), environ.get("PATH", os.defpath)])
    return kept | {"PATH": path, "VIRTUAL_ENV": str(folder)}
