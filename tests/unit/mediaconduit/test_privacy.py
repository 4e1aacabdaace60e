"""What a process keeps to itself. Root reads everything, so a user without rights looks here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mediaconduit import privacy

LOOK = """
import os, subprocess, sys
HIDE
looker = "import sys; print(len(open(f'/proc/{sys.argv[1]}/environ').read()))"
done = subprocess.run([sys.executable, "-c", looker, str(os.getpid())], capture_output=True, text=True)
print(done.stdout.strip() or done.stderr.strip().rpartition("\\n")[2])
"""
PYTHON = "/usr/bin/python3"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Linux only"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user"),
    pytest.mark.skipif(not shutil.which("setpriv") or not Path(PYTHON).exists(), reason="needs setpriv and python3"),
]


def seen_by_a_neighbour(hide: str) -> str:
    command = ["setpriv", "--reuid=61990", "--regid=61990", "--clear-groups", PYTHON, "-I", "-c"]
    done = subprocess.run([*command, LOOK.replace("HIDE", hide)], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout.strip()


def test_a_process_of_the_same_user_cannot_read_variables_once_hidden() -> None:
    source = Path(privacy.__file__).read_text()
    assert "PermissionError" in seen_by_a_neighbour(f"exec({source!r}); assert hide_memory()")
    assert seen_by_a_neighbour("").isdigit()
