"""What ``doctor`` says about keeping sidecars apart on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mediaconduit_broker.cli.check import Check

_TRY_SECONDS: Final = 5.0


def isolation_checks(state_dir: Path | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Users of their own, the sandbox, limits."""
    from mediaconduit_broker.isolation import Machine
    from mediaconduit_broker.state import StateFolder

    if sys.platform != "linux":
        yield Check("isolation", "note", f"sidecars run as this user: {_reach(root=False)}", "kept apart on Linux only")
        return
    machine = Machine.look(change=False)
    root = StateFolder.at(state_dir, environ).root
    yield _users(machine.own_users, root, as_root=machine.root)
    yield _sandbox(machine.bubblewrap)
    limited = sorted(machine.cgroups.controllers) if machine.cgroups else []
    if limited:
        yield Check("limits", "ok", f"control groups for {', '.join(limited)}; open files for each process")
    else:
        found = "memory, processes and open files for each process; processor time not at all"
        yield Check("limits", "note", found, "run the broker where it may make control groups (systemd: Delegate=yes)")


def _users(possible: bool, state: Path, *, as_root: bool) -> Check:
    from mediaconduit_broker.isolation.reach import NOBODY, obstacle

    name = "own users"
    reach = f"sidecars run as this user and could read {_reach(root=as_root)}"
    if not as_root:
        return Check(name, "note", reach, "run the broker as root, or use a sandbox: see docs/isolation.md")
    if not possible:
        return Check(name, "note", reach, "apt-get install util-linux, for setpriv")
    there = next(folder for folder in (state, *state.absolute().parents) if folder.exists())
    if there == state:
        there = state.parent  # its own mode is the broker's to set
    if (closed := obstacle(there.absolute(), NOBODY)) is not None and closed != Path("/"):
        return Check(name, "note", f"{reach}: others may not pass {closed}", "choose another --state-dir")
    interpreter = Path(getattr(sys, "_base_executable", "") or sys.executable)
    system = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    if all(obstacle(path, NOBODY) is not None for path in (interpreter, system)):
        return Check(name, "note", f"{reach}: others may not run {interpreter}", f"apt-get install {system.name}")
    return Check(name, "ok", "each provider gets one")


def _reach(*, root: bool) -> str:
    memory = "the memory and variables of each other and of the broker, " if root else ""
    return f"{memory}each other's sockets, homes and temporary files"


def _sandbox(bubblewrap: str | None) -> Check:
    if bubblewrap is None:
        return Check("sandbox", "note", "bubblewrap is not there", "apt-get install bubblewrap")
    true = shutil.which("true") or "/bin/true"
    try:
        command = [bubblewrap, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", true]
        tried = subprocess.run(command, capture_output=True, timeout=_TRY_SECONDS, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return Check("sandbox", "note", "bubblewrap does not start")
    if tried.returncode != 0:
        why = tried.stderr.strip().splitlines()[-1:] or [""]
        return Check("sandbox", "note", f"bubblewrap does not work here: {why[0]}", "see docs/isolation.md")
    return Check("sandbox", "ok", "bubblewrap works")
