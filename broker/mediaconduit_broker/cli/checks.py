"""The checks of ``doctor``: each looks at one thing and never fails itself."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from mediaconduit.errors import MediaConduitError
from mediaconduit.tasks import shielded

from mediaconduit_broker.cli import output
from mediaconduit_broker.cli.check import Check
from mediaconduit_broker.cli.failures import FAILED, OK
from mediaconduit_broker.cli.invocation import Invocation
from mediaconduit_broker.cli.isolation_checks import isolation_checks

_LEAST_FREE: Final = 500_000_000
"""Bytes; an environment takes 40 MB to some hundreds."""
_ANSWER_SECONDS: Final = 3.0
_MARKS: Final = {"ok": ("ok", "green"), "note": ("note", "yellow"), "missing": ("missing", "bold red")}


async def run(invocation: Invocation, broker: str | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Looks at everything, prints it, gives the exit code."""
    found = [*_local(invocation, state_dir), await _broker(broker or invocation.broker, invocation.api_key)]
    if as_json:
        output.print_json([asdict(check) for check in found])
    else:
        _show(found)
    return FAILED if any(check.verdict == "missing" for check in found) else OK


def _show(found: list[Check]) -> None:
    width = max(len(check.name) for check in found) + 2
    for check in found:
        mark, style = _MARKS[check.verdict]
        output.styled((mark.ljust(9), style), (check.name.ljust(width), "bold"), (output.safe(check.found), ""))
        if check.hint:
            output.styled((" " * (9 + width), ""), ("hint", "cyan"), (f": {output.safe(check.hint)}", ""))


def _local(invocation: Invocation, state_dir: Path | None) -> Iterator[Check]:
    yield _python()
    yield _uv()
    yield _wheels()
    yield _state_folder(state_dir, invocation.environ)
    path = invocation.environ.get("PATH", "")
    yield _tool("git", path, "providers from git", "apt-get install git")
    yield _tool("docker", path, "providers that need a service", "apt-get install docker.io")
    system = shutil.which("ffmpeg", path=path) is not None
    yield Check("ffmpeg", "ok", "of the system" if system else "not needed: the ffmpeg provider brings its own")
    yield from isolation_checks(state_dir, invocation.environ)


def _python() -> Check:
    # The package does not install on a version that is too old: this is what providers will get, too.
    return Check("python", "ok", f"{platform.python_implementation()} {platform.python_version()}")


def _uv() -> Check:
    try:
        import uv

        return Check("uv", "ok", Path(uv.find_uv_bin()).name + _version_of("uv"))
    except (ImportError, FileNotFoundError):
        return Check("uv", "missing", "not there: it builds providers' environments", "pip install uv")


def _version_of(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    with contextlib.suppress(PackageNotFoundError):
        return f" {version(package)}"
    return ""


def _wheels() -> Check:
    from mediaconduit_broker.environments.python import WHEELS

    found = sorted(path.name.split("-py3")[0] for path in WHEELS.glob("*.whl"))
    if {name.split("-")[0] for name in found} >= {"mediaconduit", "mediaconduit_provider"}:
        return Check("wheels", "ok", ", ".join(found))
    return Check("wheels", "missing", "our own, for providers", "in a checkout run `make wheels`; else reinstall")


def _state_folder(state_dir: Path | None, environ: Mapping[str, str]) -> Check:
    from mediaconduit_broker.state import StateFolder

    root = StateFolder.at(state_dir, environ).root
    there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        hint = "choose another with --state-dir, or make it writable"
        return Check("state folder", "missing", f"{root} cannot be written to: {error.strerror}", hint)
    found = f"{root}, {output.human_bytes(free)} free"
    if free < _LEAST_FREE:
        return Check("state folder", "missing", found, f"free {output.human_bytes(_LEAST_FREE)} for environments")
    return Check("state folder", "ok", found)


def _tool(name: str, path: str, wanted_by: str, get: str) -> Check:
    if shutil.which(name, path=path):
        return Check(name, "ok", "found")
    return Check(name, "note", f"not found; wanted by {wanted_by}", get)


async def _broker(target: str, api_key: str | None) -> Check:
    from mediaconduit.client import connect

    if not target.startswith("unix:") and not await _listens(target):
        return Check("broker", "note", f"nothing listens at {target}", "start one with `mediaconduit up`")
    try:
        async with asyncio.timeout(_ANSWER_SECONDS), connect(target, api_key=api_key) as client:
            described = await client.describe()
    except (TimeoutError, MediaConduitError):
        hint = "stop it, or let the broker use another port with --listen"
        return Check("broker", "missing", f"what listens at {target} is no broker", hint)
    return Check("broker", "ok", f"{described.display_name} {described.version} answers at {target}")


async def _listens(target: str) -> bool:
    host, _, port = target.rpartition(":")
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await shielded(writer.wait_closed(), timeout=1, name="close the probe")
    return True
