"""The host libraries' own tests, by their own tools."""

import os
import shutil
import subprocess

import pytest

from .conftest import ROOT


@pytest.mark.timeout(900)  # Rust is compiled whole where nothing of it is cached
@pytest.mark.parametrize(("tool", "target"), [("go", "go-host"), ("cargo", "rust-host")])
def test_a_host_library_passes_its_own_tests(tool: str, target: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"this machine has no `{tool}`")
    made = subprocess.run(["make", target], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
