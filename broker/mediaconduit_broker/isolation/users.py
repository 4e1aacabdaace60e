"""Users of providers: numbers from a range, remembered, never shared. They need no entry in /etc/passwd."""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from pathlib import Path


class Users:
    """Which provider has which number.

    Args:
        file: Where that is remembered.
        first: Lowest number.
        last: Highest number.
    """

    def __init__(self, file: Path, first: int, last: int) -> None:
        self._file = file
        self._numbers = range(first, last + 1)
        self._known = _read(file)

    def of(self, provider_id: str) -> int | None:
        """Its number, the same for as long as it is not forgotten; None when all are given away.

        Raises:
            OSError: It could not be remembered.
        """
        known = self._known.get(provider_id)
        if known in self._numbers:
            return known
        free = self._free(provider_id)
        if free is not None:
            self._write(self._known | {provider_id: free})
        return free

    def forget(self, provider_id: str) -> None:
        """Frees its number. Its processes and folders must be gone."""
        if provider_id in self._known:
            self._write({name: number for name, number in self._known.items() if name != provider_id})

    def _free(self, provider_id: str) -> int | None:
        """Brokers with other state folders know nothing of ours: a start that differs makes them unlikely to meet."""
        taken, count = set(self._known.values()), len(self._numbers)
        start = zlib.crc32(f"{self._file}\0{provider_id}".encode())
        candidates = (self._numbers[(start + step) % count] for step in range(count))
        return next((number for number in candidates if number not in taken), None)

    def _write(self, known: dict[str, int]) -> None:
        handle, name = tempfile.mkstemp(dir=self._file.parent, suffix=".new")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1, sort_keys=True)
        Path(name).replace(self._file)
        self._known = known


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: number for name, number in found.items() if isinstance(number, int)}
