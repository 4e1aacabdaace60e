"""Patterns added at the command line, kept in the state folder: a broker that runs sees them at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mediaconduit.errors import PreconditionError, Reason

from mediaconduit_broker.trust.patterns import Pattern, parse_pattern


class AllowedFile:
    """One pattern a line, in order of text. Written whole or not at all; two writers wait for each other.

    Args:
        state: The state folder; made when something is added.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "trusted-sources"

    def read(self) -> tuple[Pattern, ...]:
        """Those kept.

        Raises:
            PreconditionError: MANIFEST_INVALID: the file is not what it should be, so nothing in it counts.
        """
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError):
            raise self._damaged() from None
        try:
            return tuple(parse_pattern(line) for line in lines if line and not line.startswith("#"))
        except PreconditionError:
            raise self._damaged() from None

    def add(self, pattern: Pattern) -> bool:
        """Keeps one; False when it was there."""
        with self._locked():
            known = {kept.text for kept in self.read()}
            if pattern.text not in known:
                self._write(known | {pattern.text})
            return pattern.text not in known

    def remove(self, text: str) -> bool:
        """Drops one; False when it was not there."""
        with self._locked():
            known = {kept.text for kept in self.read()}
            if text in known:
                self._write(known - {text})
            return text in known

    def _write(self, texts: set[str]) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, suffix=".new")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("# Places that providers may come from. `mediaconduit trust` writes this file.\n")
                file.writelines(f"{text}\n" for text in sorted(texts))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _damaged(self) -> PreconditionError:
        return PreconditionError(
            f"{self._path.name} in the state folder cannot be read as a list of patterns",
            reason=Reason.MANIFEST_INVALID,
            hint="mend it, or remove it and add the patterns again with `mediaconduit trust add`",
        )
