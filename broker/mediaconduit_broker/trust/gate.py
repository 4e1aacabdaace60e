"""What a load must pass: the allow-list before anything is fetched, the lock before anything is built."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.manifest.read import NAMES
from mediaconduit_broker.sources import Checkout, FolderSource, content_hash, parse
from mediaconduit_broker.trust import lockfile
from mediaconduit_broker.trust.differences import between
from mediaconduit_broker.trust.lockfile import Locked
from mediaconduit_broker.trust.policy import TrustPolicy, quoted


@dataclass(frozen=True, slots=True)
class Admission:
    """A source that may be fetched."""

    source: str
    locked: Locked | None = None
    """What the lock holds of it."""
    frozen: bool = False
    """Whether nothing else may run."""

    @property
    def pinned(self) -> str:
        """The version to fetch; empty = what the source means now."""
        return self.locked.resolved if self.frozen and self.locked else ""

    @property
    def by_tag(self) -> bool:
        """Whether the lock found the version by a tag, which is not meant to move."""
        return self.locked is not None and self.locked.ref.startswith("refs/tags/")


class Gate:
    """Lets sources through.

    Args:
        policy: Where code may come from.
        lock: The lock file; there may be none.
        base: Folder that relative sources start from.
        frozen: Whether every load is held to the lock.
    """

    def __init__(self, policy: TrustPolicy, lock: Path, *, base: Path, frozen: bool = False) -> None:
        self.policy = policy
        self._lock = lock
        self.base = base
        self._frozen = frozen

    def admit(
        self, source: str, provider_id: str = "", *, by_operator: bool = False, frozen: bool = False
    ) -> Admission:
        """Passes a source that may be fetched. Reads two small files.

        Args:
            source: As asked for.
            provider_id: The name wanted; empty = the manifest's.
            by_operator: As `TrustPolicy.check`.
            frozen: Held to the lock, whatever the broker does otherwise.

        Raises:
            PreconditionError: SOURCE_NOT_TRUSTED: it is not allowed, or it is to be locked and is not.
        """
        self.policy.check(source, base=self.base, by_operator=by_operator)
        frozen = frozen or self._frozen
        lock = lockfile.read(self._lock)
        locked = self._find(lock, source, provider_id) if lock is not None else None
        if frozen and locked is None:
            what = f"no {self._lock.name}" if lock is None else f"nothing of {source} in {self._lock.name}"
            raise _refused(source, f"only what is locked may run, and there is {what}")
        return Admission(source, locked, frozen)

    def confirm(self, admission: Admission, checkout: Checkout, name: str) -> Locked | None:
        """Compares what was fetched with the lock; gives the entry that binds it.

        Args:
            admission: What `admit` gave.
            checkout: What it became.
            name: The name it will be loaded under.

        Raises:
            PreconditionError: SOURCE_NOT_TRUSTED with what changed.
        """
        locked = admission.locked
        if locked is None:
            return None
        if not admission.frozen:
            if admission.by_tag and checkout.ref == locked.ref and checkout.commit != locked.commit:
                raise _refused(admission.source, _moved(locked, checkout))
            return None
        if locked.id != name:
            raise _refused(admission.source, f"it is locked under the name {locked.id}, not {name}")
        found = described(checkout, name, like=locked)
        if changes := between(locked, found):
            raise _refused(admission.source, f"it is not what is locked: {'; '.join(changes)}")
        return locked

    def locked_versions(self) -> set[str]:
        """What is to stay although it does not run; nothing of a lock that cannot be read."""
        try:
            lock = lockfile.read(self._lock)
        except PreconditionError:
            return set()
        return {locked.resolved for locked in lock.provider} if lock is not None else set()

    def _find(self, lock: lockfile.Lock, source: str, provider_id: str) -> Locked | None:
        same = [locked for locked in lock.provider if self._same(locked.source, source)]
        return next((locked for locked in same if provider_id in ("", locked.id)), None)

    def _same(self, one: str, other: str) -> bool:
        return one == other or self._key(one) == self._key(other)

    def _key(self, source: str) -> object:
        wanted = parse(source)
        if isinstance(wanted, FolderSource):
            return os.path.realpath(self.base / os.path.expanduser(wanted.path))
        return wanted


def described(checkout: Checkout, name: str, *, like: Locked | None = None) -> Locked:
    """A checkout as a lock has it, without packages.

    Args:
        checkout: What a source became.
        name: The name it is loaded under.
        like: Where the entry exists: its source's spelling, ref and packages, none of which the code decides.
    """
    manifest = next(path for name in NAMES if (path := checkout.folder / name).is_file())
    return Locked(
        id=name,
        source=like.source if like else checkout.source,
        resolved=checkout.resolved,
        ref=like.ref if like else checkout.ref,
        commit=checkout.commit,
        tree=checkout.tree or f"sha256:{content_hash(checkout.folder)}",
        manifest=f"sha256:{hashlib.sha256(manifest.read_bytes()).hexdigest()}",
        environment=like.environment if like else "",
        packages=like.packages if like else {},
    )


def loaded_unlocked(provider_id: str, source: str) -> PreconditionError:
    """A provider that runs was not held to the lock when it was loaded, and now is to be."""
    command = f"mediaconduit provider rm {provider_id}"
    return PreconditionError(
        f"{provider_id!r} runs already, and was not held to the lock when it was loaded",
        reason=Reason.SOURCE_NOT_TRUSTED,
        hint=f"`{command}`, then load it again",
        metadata={"source": source, "how_to_allow": command},
    )


def _moved(locked: Locked, checkout: Checkout) -> str:
    tag = locked.ref.removeprefix("refs/tags/")
    return f"the tag {tag} was moved from {locked.commit[:12]}, which is locked, to {checkout.commit[:12]}"


def _refused(source: str, why: str) -> PreconditionError:
    command = f"mediaconduit lock {quoted(source)}"
    return PreconditionError(
        f"{source} is refused: {why}",
        reason=Reason.SOURCE_NOT_TRUSTED,
        hint=f"when it is right, run `{command}` beside the broker's config, review the lock and commit it",
        metadata={"source": source, "how_to_allow": command},
    )
