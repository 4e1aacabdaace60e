"""Where the interpreter of an environment really is."""

from __future__ import annotations

import os
from pathlib import Path


def homes(program: Path) -> tuple[Path, ...]:
    """Installations outside /usr that a program lives in, over all links of a virtual environment's interpreter.

    An installation is the folder above "bin".
    """
    found: list[Path] = []
    for _ in range(40):
        home = program.parent.parent
        if program.parent.name == "bin" and home != Path("/") and not home.is_relative_to("/usr") and home not in found:
            found.append(home)
        if not program.is_symlink():
            break
        program = Path(os.path.normpath(program.parent / program.readlink()))
    return tuple(found)
