"""A policy and a command as the command that puts it in force. Pure: looks at nothing, starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mediaconduit_broker.isolation.machine import Machine
from mediaconduit_broker.isolation.policy import Bounds, Policy

_ENTER: Final = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 126; shift; n=$((n-1)); done; exec "$@"'
"""Enters control groups and becomes the command: before its first instruction, so that nothing it starts is outside.

The text is constant; files and command are its arguments.
"""
_ETC: Final = (
    "alternatives", "ca-certificates", "crypto-policies", "fonts", "gai.conf", "group", "host.conf", "hosts",
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "mime.types", "nsswitch.conf", "passwd", "pki",
    "protocols", "resolv.conf", "services", "ssl", "timezone",
)  # fmt: skip
"""Of /etc in a sandbox: what names, certificates, fonts and libraries are found by; no secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Everything that was decided for one launch."""

    policy: Policy
    uid: int | None = None
    """The user and group it becomes; None = the broker's."""
    folder: Path
    """Where it works: the repository."""
    read: tuple[Path, ...] = ()
    """What it must be able to read in a sandbox: repository, environment, interpreter."""
    write: tuple[Path, ...] = ()
    """Folders of its own."""
    control_groups: tuple[Path, ...] = ()
    """Files of control groups to write its id to."""
    grouped: frozenset[str] = field(default_factory=frozenset)
    """What the control groups limit: "memory", "pids", "cpu"."""


def confined(command: tuple[str, ...], wanted: Confinement, machine: Machine) -> list[str]:
    """The command with its wrappers, outermost first: control groups, limits, sandbox, user."""
    return [
        *_entering(wanted.control_groups, machine),
        *_limited(wanted, machine),
        *(_sandboxed(wanted, machine) if wanted.policy.sandbox == "bubblewrap" else ()),
        *_as_user(wanted, machine),
        *command,
    ]


def _entering(files: tuple[Path, ...], machine: Machine) -> Iterator[str]:
    if files:
        yield from (machine.shell, "-c", _ENTER, "sh", str(len(files)), *map(str, files))


def _limited(wanted: Confinement, machine: Machine) -> Iterator[str]:
    limits = list(resource_limits(wanted.policy.bounds, wanted.grouped, own_user=wanted.uid is not None))
    if limits and machine.prlimit is not None:
        yield from (machine.prlimit, *limits, "--")


def resource_limits(bounds: Bounds, grouped: frozenset[str], *, own_user: bool) -> Iterator[str]:
    """Limits as ``prlimit`` takes them, for what control groups do not limit.

    The number of processes counts for all of a user together, so it is only set for a user of the sidecar's own.
    """
    if bounds.open_files:
        yield f"--nofile={bounds.open_files}:{bounds.open_files}"
    if bounds.processes and own_user and "pids" not in grouped:
        yield f"--nproc={bounds.processes}:{bounds.processes}"
    if bounds.memory_bytes and "memory" not in grouped:
        yield f"--as={bounds.memory_bytes}:{bounds.memory_bytes}"


def _as_user(wanted: Confinement, machine: Machine) -> Iterator[str]:
    if machine.setpriv is None:
        return
    if wanted.uid is not None:
        user = str(wanted.uid)
        yield from (machine.setpriv, "--reuid", user, "--regid", user, "--clear-groups")
        yield from ("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--")
    elif wanted.policy.sandbox == "off":  # bubblewrap says so itself
        yield from (machine.setpriv, "--no-new-privs", "--")


def _sandboxed(wanted: Confinement, machine: Machine) -> Iterator[str]:
    assert machine.bubblewrap is not None
    yield from (machine.bubblewrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    if not wanted.policy.network:
        yield "--unshare-net"
    if wanted.uid is None:
        yield from ("--cap-drop", "ALL")  # of root; other users have none, and who becomes one drops them itself
    yield from ("--ro-bind", "/usr", "/usr")
    for path, target in machine.system:
        yield from ("--symlink", target, path) if target else ("--ro-bind", path, path)
    # bubblewrap would make what holds mount points for its own user alone.
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp")  # noqa: S108
    read = (*wanted.read, *wanted.policy.readable)
    for folder in _above((*read, *wanted.write)):
        yield from ("--perms", "0755", "--dir", str(folder))
    for folder in read:
        yield from ("--ro-bind", str(folder), str(folder))
    for folder in wanted.write:
        yield from ("--bind", str(folder), str(folder))
    # Also what bubblewrap itself made as mount points is not to be written to.
    yield from ("--remount-ro", "/", "--chdir", str(wanted.folder), "--")


def _above(paths: tuple[Path, ...]) -> list[Path]:
    """The folders above these paths that a sandbox has to have made, outer ones first."""
    found = {parent for path in paths for parent in path.parents}
    there = (*paths, Path("/usr"))
    return sorted(
        parent
        for parent in found
        if parent not in (Path("/"), Path("/tmp")) and not any(parent.is_relative_to(path) for path in there)  # noqa: S108
    )
