"""One folder for all temporary files of the process, the author's included, so that they end with it."""

from __future__ import annotations

import shutil
import tempfile


def use_own() -> str:
    """Makes the folder and has `tempfile` use it; gives its path, for children."""
    tempfile.tempdir = tempfile.mkdtemp(prefix="mediaconduit-sidecar-")
    return tempfile.tempdir


def remove() -> None:
    """Removes it, if there is one."""
    if tempfile.tempdir is not None:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)
