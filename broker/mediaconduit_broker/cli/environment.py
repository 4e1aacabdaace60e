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
from mediaconduit_broker.cli.trusting import BrokerPlace, fetching
from mediaconduit_broker.environments import Environment, EnvironmentBuilder, EnvironmentRequest, Permissions, hosts
from mediaconduit_broker.manifest import Runtime, read_manifest
from mediaconduit_broker.sources import Checkout
from mediaconduit_broker.trust import check_by_hand

_OF_ANOTHER_PYTHON: Final = ("PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX")


_HINTS: Final = {
    Runtime.PYTHON: "development dependencies stand in [dependency-groups] dev of its pyproject.toml",
    Runtime.NODE: "development dependencies stand in devDependencies of its package.json",
}


def execute(source: str, command: Sequence[str], environ: Mapping[str, str], where: BrokerPlace) -> None:
    """Replaces this process by the command.

    Args:
        source: Of the provider.
        command: What to run.
        environ: Its variables, and ours.
        where: Says where code may come from and how it is fetched, and keeps environments.

    Raises:
        MediaConduitError: The source, its manifest or its requirements are wrong.
        UsageError: There is no such command.
    """
    state, config = where.state, where.config
    watch_children_without_threads()
    check_by_hand(source, state, base=Path.cwd(), allow=config.trust.allow)
    checkout = asyncio.run(_checkout(source, where, environ))
    manifest = read_manifest(checkout.folder)
    if manifest.runtime is Runtime.EXEC:
        # Its own tools make its environment; of ours it needs the host library, where it points to one.
        hosts.link(hosts.wanted(checkout.folder), checkout.folder)
        _become(command, checkout.folder, dict(environ), f"install {command[0]} where PATH finds it")
    if manifest.runtime not in _HINTS:
        raise UsageError(f"{manifest.id} has no environment to run commands in", hint="use its own tools in its folder")
    request = EnvironmentRequest(
        provider_id=manifest.id,
        source=checkout.origin,
        folder=checkout.folder,
        manifest=manifest,
        groups=("dev",),
        permissions=_permissions(where, source, manifest.id),
    )
    state.environments.mkdir(parents=True, exist_ok=True, mode=0o700)
    builder = EnvironmentBuilder(state.environments, environ, timeout=config.limits.build_timeout)

    async def build() -> Environment:
        try:
            with loading.build_log(), loading.display(manifest.id) as show:
                return await builder.ensure(request, lambda step: show(step.message, step.fraction, ""))
        finally:
            await builder.aclose()

    environment = asyncio.run(build())
    environment.lease.keep_over_exec()
    node = manifest.runtime is Runtime.NODE
    # Node finds packages above the code that imports them: its copy in the environment, not the folder itself.
    folder = environment.working_folder if node else checkout.folder
    variables = _node_variables(environ, environment.folder) if node else _variables(environ, environment.folder)
    _become(command, folder, variables, _HINTS[manifest.runtime])


def _become(command: Sequence[str], folder: Path, variables: Mapping[str, str], hint: str) -> NoReturn:
    program = shutil.which(command[0], path=variables.get("PATH", os.defpath))
    if program is None:
        raise UsageError(f"there is no command {command[0]!r} in the environment of this provider", hint=hint)
    os.chdir(folder)
    os.execve(program, list(command), dict(variables))  # noqa: S606  # what the user asked for, without a shell


def _permissions(where: BrokerPlace, source: str, provider_id: str) -> Permissions:
    """What the configuration lets the build of this very provider do."""
    wanted = where.config.providers.get(provider_id)
    if wanted is None or wanted.source != source:
        return Permissions()
    return Permissions(wanted.allow_build, tuple(wanted.allow_indexes))


async def _checkout(source: str, where: BrokerPlace, environ: Mapping[str, str]) -> Checkout:
    async with contextlib.aclosing(fetching(where, environ)) as sources:
        with loading.display(source) as show:
            return await sources.resolve(source, report=lambda message, fraction: show(message, fraction, ""))


def _variables(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The caller's variables, with the environment in front of everything."""
    kept = {key: value for key, value in environ.items() if key not in _OF_ANOTHER_PYTHON}
    path = os.pathsep.join([str(folder / "bin"), environ.get("PATH", os.defpath)])
    return kept | {"PATH": path, "VIRTUAL_ENV": str(folder)}


def _node_variables(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The caller's variables, with the programs of the environment's packages in front of everything."""
    path = os.pathsep.join([str(folder / "node_modules" / ".bin"), environ.get("PATH", os.defpath)])
    return {**environ, "PATH": path}
