"""A policy as a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mediaconduit_broker.isolation.commands import Confinement, confined, resource_limits
from mediaconduit_broker.isolation.machine import Machine
from mediaconduit_broker.isolation.policy import Bounds, Policy

COMMAND = ("/env/bin/python", "-m", "host")
ALL = Machine(
    root=True,
    setpriv="/bin/setpriv",
    prlimit="/bin/prlimit",
    bubblewrap="/bin/bwrap",
    system=(("/bin", "usr/bin"), ("/lib64", "")),
)
NONE = Machine()
AS_USER = [
    *("/bin/setpriv", "--reuid", "61000", "--regid", "61000", "--clear-groups"),
    *("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"),
]


def wanted(**changes: Any) -> Confinement:
    policy = Policy(
        sandbox=changes.pop("sandbox", "off"),
        network=changes.pop("network", True),
        readable=changes.pop("readable", ()),
        bounds=changes.pop("bounds", Bounds()),
    )
    return Confinement(policy=policy, folder=Path("/src"), **changes)


@pytest.mark.parametrize(
    ("machine", "asked", "before"),
    [
        (NONE, wanted(), []),
        (NONE, wanted(bounds=Bounds(open_files=9)), []),
        (ALL, wanted(), ["/bin/setpriv", "--no-new-privs", "--"]),
        (ALL, wanted(uid=61000), AS_USER),
        (
            ALL,
            wanted(uid=61000, bounds=Bounds(open_files=9, processes=3)),
            ["/bin/prlimit", "--nofile=9:9", "--nproc=3:3", "--", *AS_USER],
        ),
    ],
)
def test_wrappers_stand_outermost_first(machine: Machine, asked: Confinement, before: list[str]) -> None:
    assert confined(COMMAND, asked, machine) == [*before, *COMMAND]


def test_control_groups_are_entered_before_anything_else_runs() -> None:
    files = (Path("/cg/a/cgroup.procs"), Path("/cg/b/cgroup.procs"))
    command = confined(COMMAND, wanted(control_groups=files, uid=61000), ALL)
    assert command[:2] == ["/bin/sh", "-c"]
    assert command[3:7] == ["sh", "2", *map(str, files)]
    assert command[7:] == [*AS_USER, *COMMAND]


@pytest.mark.parametrize(
    ("bounds", "grouped", "own_user", "limits"),
    [
        (Bounds(), frozenset(), True, []),
        (Bounds(memory_bytes=7), frozenset(), True, ["--as=7:7"]),
        (Bounds(memory_bytes=7), frozenset({"memory"}), True, []),
        (Bounds(processes=7), frozenset(), True, ["--nproc=7:7"]),
        (Bounds(processes=7), frozenset({"pids"}), True, []),
        # Counted for all processes of a user: it would hit whoever else runs under it.
        (Bounds(processes=7), frozenset(), False, []),
        (Bounds(open_files=7), frozenset({"memory", "pids"}), False, ["--nofile=7:7"]),
        (Bounds(cpus=1.5), frozenset(), True, []),
    ],
)
def test_what_control_groups_do_not_limit_the_process_does(
    bounds: Bounds, grouped: frozenset[str], own_user: bool, limits: list[str]
) -> None:
    assert list(resource_limits(bounds, grouped, own_user=own_user)) == limits


def sandboxed(**changes: Any) -> list[str]:
    changes = {"read": (Path("/src"), Path("/home/me/env")), "write": (Path("/run/mc/a"),)} | changes
    return confined(COMMAND, wanted(sandbox="bubblewrap", **changes), ALL)


def pairs(command: list[str], option: str) -> list[str]:
    return [command[place + 1] for place, part in enumerate(command) if part == option]


def test_a_sandbox_holds_the_system_its_own_folders_and_what_it_may_read() -> None:
    command = sandboxed(readable=(Path("/srv/models"),))
    assert pairs(command, "--ro-bind") == ["/usr", "/lib64", "/src", "/home/me/env", "/srv/models"]
    assert pairs(command, "--bind") == ["/run/mc/a"]
    assert pairs(command, "--symlink") == ["usr/bin"]
    assert pairs(command, "--chdir") == ["/src"]
    assert not {"/etc", "/etc/shadow", "/etc/mediaconduit", "/home", "/root", "/var"} & {
        *pairs(command, "--ro-bind"),
        *pairs(command, "--ro-bind-try"),
    }
    assert command.index("--remount-ro") > command.index("--bind")


def test_folders_above_are_made_so_that_its_user_can_pass() -> None:
    assert pairs(sandboxed(), "--dir") == ["/etc", "/home", "/home/me", "/run", "/run/mc"]
    assert pairs(sandboxed(read=(Path("/usr/lib/x"),), write=(Path("/tmp/a"),)), "--dir") == ["/etc"]


@pytest.mark.parametrize(("network", "cut"), [(True, False), (False, True)])
def test_the_network_is_cut_unless_it_is_asked_for(network: bool, cut: bool) -> None:
    assert ("--unshare-net" in sandboxed(network=network)) is cut


def test_root_in_a_sandbox_has_no_capabilities_and_another_user_gives_them_up_itself() -> None:
    assert "--cap-drop" in sandboxed()
    command = sandboxed(uid=61000)
    assert "--cap-drop" not in command
    assert command[-len(AS_USER) - len(COMMAND) :] == [*AS_USER, *COMMAND]
