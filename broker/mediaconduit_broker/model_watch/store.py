"""The last list of each provider's models, on disk."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from mediaconduit_broker.model_watch.differences import ModelSet

_FORMAT: Final = 1


class ModelStore:
    """One file per provider, written whole or not at all.

    Args:
        folder: Where; made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, provider_id: str) -> ModelSet | None:
        """What was kept; None when nothing was, or nothing that can be read: then it is rewritten."""
        try:
            document = json.loads(self._path(provider_id).read_bytes())
            if document["format"] != _FORMAT:
                return None
            return {str(name): frozenset(map(str, does)) for name, does in document["models"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, provider_id: str, models: ModelSet) -> None:
        """Keeps it in place of what was kept.

        Raises:
            OSError: It cannot be written; what was kept stays.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = {"format": _FORMAT, "models": {name: sorted(models[name]) for name in sorted(models)}}
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
            Path(name).replace(self._path(provider_id))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def remove(self, provider_id: str) -> None:
        """Forgets it, if there is one."""
        self._path(provider_id).unlink(missing_ok=True)

    def _path(self, provider_id: str) -> Path:
        return self._folder / f"{provider_id}.json"
