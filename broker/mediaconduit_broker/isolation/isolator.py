"""Puts policies in force: decides how a launch is kept apart, and makes what that takes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mediaconduit.channels import MutualTls
from mediaconduit.errors import AccessError, Reason

from mediaconduit_broker.isolation.cell import Cell
from mediaconduit_broker.isolation.cgroups import Cgroup
from mediaconduit_broker.isolation.commands import Confinement, confined
from mediaconduit_broker.isolation.exposure import exposures
from mediaconduit_broker.isolation.folders import Folders
from mediaconduit_broker.isolation.interpreter import homes
from mediaconduit_broker.isolation.machine import Machine
from mediaconduit_broker.isolation.policy import Policy, Transport, UserMode
from mediaconduit_broker.isolation.reach import closed_source, obstacle
from mediaconduit_broker.isolation.users import Users

if TYPE_CHECKING:
    from mediaconduit_broker.isolation.certificates import Identity


class Isolator:
    """Owns the folders of a broker's sidecars.

    Args:
        machine: What can be done here.
        users: Users of providers; None = all run as the broker's.
        homes: Folder for homes of providers that are kept apart.
        mode: Whether a user of its own is wanted or required; "off" with `users` None.
        readable: What every provider may read in a sandbox; certificates.
        transport: How sidecars are talked to; those in a sandbox without network by "unix" whatever this says.
        at: Folders of a broker before, to go on with: its `folders`; () = new ones.
    """

    def __init__(
        self,
        machine: Machine | None = None,
        users: Users | None = None,
        homes: Path | None = None,
        mode: UserMode = "auto",
        readable: Sequence[Path] = (),
        transport: Transport = "unix",
        at: Sequence[Path] = (),
    ) -> None:
        self.machine = machine or Machine.look()
        self._mode = mode
        self._identity = _identity() if transport == "tcp" else None
        self._readable = tuple(path for path in readable if path.exists() and not path.is_relative_to("/usr"))
        self._users = users if self.machine.own_users and mode != "off" else None
        self._folders = Folders(homes, shared=self._users is not None, at=at)
        if self.machine.cgroups is not None:
            self.machine.cgroups.clear()

    @property
    def sockets(self) -> Path:
        """Where sockets are."""
        return self._folders.sockets

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where sockets and temporary files are: what `close` removes."""
        return self._folders.paths

    def admit(
        self, provider_id: str, instance: str, command: Iterable[str], folder: Path, policy: Policy | None = None
    ) -> Cell:
        """How to start this. Blocks for a few file operations.

        Args:
            provider_id: Whose sidecar it is.
            instance: Name of this start, unique.
            command: What to start.
            folder: The repository.
            policy: How far to keep it apart.

        Raises:
            AccessError: What is required is not to be had on this machine.
            OSError: Folders or control groups could not be made.
        """
        policy = policy or Policy()
        command = tuple(command)
        self._check(policy)
        sandboxed = policy.sandbox == "bubblewrap"
        uid, warnings = self._user(provider_id, command, folder, sandboxed)
        if uid is None and self._mode == "required":
            raise _refused(f"provider {provider_id} cannot have a user of its own: {warnings[0]}")
        name = instance[:16]
        made = self._folders.make(name, uid)
        group = None
        try:
            home = self._folders.home(provider_id, uid) if uid is not None or sandboxed else None
            group, missing = self._group(name, policy)
            wanted = Confinement(
                policy=policy,
                uid=uid,
                folder=folder,
                read=(*_read(command, folder), *self._readable),
                write=(*made, home) if home else made,
                control_groups=group.entrances if group else (),
                grouped=frozenset(group.folders) if group else frozenset(),
            )
            port, tls, files = self._tls(made[0], uid, policy)
            exposed = exposures(own_user=uid is not None, sandboxed=sandboxed, root=self.machine.root)
            return Cell(
                command=confined(command, wanted, self.machine),
                variables={"TMPDIR": str(made[1])} | ({"HOME": str(home)} if home else {}) | files,
                socket=made[0] / "s",
                port=port,
                tls=tls,
                policy=policy,
                uid=uid,
                sandboxed=sandboxed,
                group=group,
                warnings=(*(f"no user of its own: {why}" for why in warnings), *missing, *exposed),
                folders=made,
            )
        except BaseException:
            if group is not None:
                group.remove()
            for path in made:
                shutil.rmtree(path, ignore_errors=True)
            raise

    def forget(self, provider_id: str) -> None:
        """Removes a provider's home and frees its user. Blocks for as long as that takes."""
        self._folders.forget_home(provider_id)
        if self._users is not None:
            self._users.forget(provider_id)

    def close(self) -> None:
        """Removes the folders. All sidecars have been stopped before."""
        self._folders.close()

    def _tls(self, folder: Path, uid: int | None, policy: Policy) -> tuple[int, MutualTls | None, dict[str, str]]:
        """Port, certificates and variables for TCP; (0, None, {}) for a Unix socket."""
        if self._identity is None or (policy.sandbox == "bubblewrap" and not policy.network):
            return 0, None, {}
        from mediaconduit_broker.isolation.certificates import free_port, introduce

        return free_port(), *introduce(self._identity, folder, uid)

    def _check(self, policy: Policy) -> None:
        if policy.sandbox == "bubblewrap" and self.machine.bubblewrap is None:
            raise _refused(
                "this machine has no bubblewrap", hint="apt-get install bubblewrap, or take sandbox from its settings"
            )

    def _user(
        self, provider_id: str, command: tuple[str, ...], folder: Path, sandboxed: bool
    ) -> tuple[int | None, tuple[str, ...]]:
        """Its user, or why it has none."""
        if self._users is None:
            return None, ("users of their own need a broker that is root, on Linux, with setpriv",) if (
                self._mode == "required"
            ) else ()
        uid = self._users.of(provider_id)
        if uid is None:
            return None, ("all numbers are given away; widen first_uid to last_uid in [isolation]",)
        if not sandboxed and (closed := obstacle(Path(command[0]), uid)) is not None:
            return None, (f"others may not read its interpreter or environment (closed at {closed})",)
        if (closed := closed_source(folder, uid, from_root=not sandboxed)) is not None:
            return None, (f"others may not read its source (closed at {closed})",)
        return uid, ()

    def _group(self, name: str, policy: Policy) -> tuple[Cgroup | None, tuple[str, ...]]:
        cgroups, bounds = self.machine.cgroups, policy.bounds
        if cgroups is None:
            unmet = [f"cpus = {bounds.cpus:g}"] if bounds.cpus else []
            if sys.platform != "linux" and bounds.memory_bytes:
                unmet.append(f"memory_bytes = {bounds.memory_bytes}")
            return None, tuple(f"{limit} is not in force: no control groups can be made here" for limit in unmet)
        unmet = ["cpus"] if bounds.cpus and "cpu" not in cgroups.controllers else []
        return cgroups.make(name, bounds), tuple(f"{limit} is not limited by control groups here" for limit in unmet)


def _read(command: tuple[str, ...], folder: Path) -> tuple[Path, ...]:
    """Repository, environment and interpreter, each once, none below /usr."""
    program = Path(command[0])
    outside = [] if program.is_relative_to("/usr") or program.parent == Path("/bin") else [program.parent]
    found = [folder, *homes(program)] if homes(program) or not outside else [folder, *outside]
    return tuple(dict.fromkeys(found))


def _identity() -> Identity:
    # Only here: its library takes 40 ms to import, and few brokers need it.
    from mediaconduit_broker.isolation.certificates import Identity

    return Identity.make()


def _refused(message: str, hint: str = 'see docs/isolation.md, or set users = "auto"') -> AccessError:
    return AccessError(message, reason=Reason.NOT_ALLOWED, hint=hint)
