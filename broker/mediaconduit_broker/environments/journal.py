"""What is kept of a provider's builds beside the environments themselves: the last plan, and the newest logs."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from mediaconduit_broker.environments.plan import EnvironmentPlan, Parts, difference

KEPT_LOGS: Final = 5
LOG_BYTES: Final = 256 * 1024
"""Longest a log gets; what a build writes after that is dropped, but for its end."""
_PLAN: Final = "plan.json"


class _Last(msgspec.Struct, frozen=True):
    key: str
    source: str
    parts: dict[str, tuple[str, ...]]


class BuildJournal:
    """One folder for every provider that was ever built.

    Args:
        root: Holds them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def beside(cls, environments: Path) -> BuildJournal:
        """The journal of a folder of environments."""
        return cls(environments.parent / "builds")

    def last_key(self, provider_id: str) -> str:
        """The key of the provider's last environment; empty when it had none."""
        last = self._last(provider_id)
        return last.key if last else ""

    def reason(self, plan: EnvironmentPlan) -> str:
        """What differs from the provider's last environment; empty when it had none."""
        last = self._last(plan.provider_id)
        if last is None:
            return ""
        if last.source != plan.source:
            return "it comes from another source"
        if last.key == plan.key:
            return "the last one had been removed"
        return difference(last.parts, plan.parts) or "the platform or the broker changed"

    def used(self, plan: EnvironmentPlan) -> None:
        """Remembers the plan as the provider's last, for the next `reason`."""
        if self.last_key(plan.provider_id) == plan.key:
            return
        content = msgspec.json.encode(_Last(plan.key, plan.source, _plain(plan.parts)))
        with contextlib.suppress(OSError):  # only an explanation is lost
            path = self._root / plan.provider_id / _PLAN
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)

    def _last(self, provider_id: str) -> _Last | None:
        try:
            return msgspec.json.decode((self._root / provider_id / _PLAN).read_bytes(), type=_Last)
        except (OSError, msgspec.DecodeError):
            return None

    def log(self, plan: EnvironmentPlan) -> BuildLog:
        """A new log; the oldest go."""
        return BuildLog(self._root / plan.provider_id)

    def last_log(self, provider_id: str) -> tuple[float, str] | None:
        """When the newest log was written, in seconds since the epoch, and its text. None when nothing was built."""
        try:
            path = max((self._root / provider_id).glob("*.log"))
            return path.stat().st_mtime, path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None


class BuildLog:
    """The log of one build, on disk as it is written. A disk that is full ends the log, not the build."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[str] | None = None
        self._left = LOG_BYTES
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for old in sorted(folder.glob("*.log"))[: -(KEPT_LOGS - 1) or None]:
                old.unlink(missing_ok=True)
            stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + f"-{time.time_ns() % 1_000_000_000:09}"
            self._file = (folder / f"{stamp}.log").open("w", encoding="utf-8")

    def write(self, text: str) -> None:
        """Adds what a step says."""
        if self._file is None or self._left <= 0:
            return
        part = text[-self._left :]
        self._left -= len(part)
        with contextlib.suppress(OSError):
            self._file.write(part if part.endswith("\n") or not part else part + "\n")
            self._file.flush()

    def close(self) -> None:
        """Ends it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()


def _plain(parts: Parts) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in parts.items()}
