"""The broker's state folder: what must outlive a process, and who may use it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
from mediaconduit.errors import PreconditionError, Reason


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider that was added and comes back when the broker does."""

    provider_id: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """But for those that are secret: the state folder holds none."""
    pinned: str = ""
    """What its source was resolved to."""
    allow_build: bool = field(default=False, kw_only=True)
    """Whoever added it let its build commands run."""
    frozen: bool = field(default=False, kw_only=True)
    """Whoever added it wants what is locked and nothing else."""
    withheld: tuple[str, ...] = ()
    """Names of the settings that are secret."""


class StateFolder:
    """Files under one folder; one broker at a time, by `lock`."""

    def __init__(self, root: Path, *, is_default: bool = False) -> None:
        self.root = root
        self.is_default = is_default
        """Commands find it without being told where it is."""
        self.environments = root / "environments"
        self.sources = root / "sources"
        self.homes = root / "homes"
        """Of providers that are kept apart."""
        self.users = root / "users.json"
        """Which of them has which user."""
        self.models = root / "models"
        """What each provider listed last."""
        self._providers = root / "providers"

    @classmethod
    def default(cls, environ: Mapping[str, str]) -> StateFolder:
        """The platform's folder for this user's state; of root a folder that other users can reach.

        Args:
            environ: The process's variables.
        """
        if sys.platform != "linux":
            return cls(platformdirs.user_state_path("mediaconduit"), is_default=True)
        if stated := environ.get("XDG_STATE_HOME"):
            return cls(Path(stated) / "mediaconduit", is_default=True)
        if os.geteuid() == 0:
            return cls(Path("/var/lib/mediaconduit"), is_default=True)
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
        return cls(home / ".local" / "state" / "mediaconduit", is_default=True)

    @classmethod
    def at(cls, root: str | Path | None, environ: Mapping[str, str]) -> StateFolder:
        """The one asked for; the default without."""
        default = cls.default(environ)
        return cls(Path(root), is_default=Path(root) == default.root) if root else default

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the folder for this process.

        Raises:
            PreconditionError: Another broker holds it.
        """
        for folder in (self.root, self.environments, self.sources, self._providers):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            self._open_to_sidecars()
        with (self.root / "broker.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise PreconditionError(
                    f"another broker (process {file.read().strip() or 'unknown'}) uses this state folder",
                    reason=Reason.NOT_ALLOWED,
                    hint="stop it, or give this one a folder of its own with --state-dir",
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _open_to_sidecars(self) -> None:
        """Sidecars with users of their own reach environments and sources, and nothing else of what is here."""
        for path in self.root.iterdir():
            if not path.is_symlink():
                path.chmod(0o755 if path in (self.environments, self.sources) else 0o700 if path.is_dir() else 0o600)
        if self.homes.is_dir():
            self.homes.chmod(0o711)
        self.root.chmod(0o711)

    def holder(self) -> int | None:
        """The process that holds this folder; None when none does."""
        try:
            file = (self.root / "broker.lock").open()
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read()
                return int(text) if text.isdecimal() else None
        return None

    def known_providers(self) -> list[KnownProvider]:
        """Those remembered, in order of name. A record that cannot be read is skipped: it is rewritten when loaded."""
        found = []
        for path in sorted(self._providers.glob("*.json")):
            with contextlib.suppress(ValueError, KeyError, OSError):
                record = json.loads(path.read_text(encoding="utf-8"))
                found.append(
                    KnownProvider(
                        path.stem,
                        record["source"],
                        record.get("settings", {}),
                        record.get("pinned", ""),
                        tuple(record.get("withheld", ())),
                        allow_build=record.get("allow_build", False),
                        frozen=record.get("frozen", False),
                    )
                )
        return found

    def remember(self, provider: KnownProvider) -> None:
        """Writes a record that only this user may read, whole or not at all."""
        fields = {
            "source": provider.source,
            "pinned": provider.pinned,
            "settings": dict(provider.settings),
            "withheld": provider.withheld,
            "allow_build": provider.allow_build,
            "frozen": provider.frozen,
        }
        record = json.dumps(fields, ensure_ascii=False)
        handle, name = tempfile.mkstemp(dir=self._providers, suffix=".new")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(record)
        Path(name).replace(self._providers / f"{provider.provider_id}.json")

    def forget(self, provider_id: str) -> None:
        """Removes a record, if there is one."""
        (self._providers / f"{provider_id}.json").unlink(missing_ok=True)
