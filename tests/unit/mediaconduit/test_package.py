"""What importing the package costs, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import mediaconduit
import pytest


@pytest.mark.parametrize("module", ["mediaconduit", "mediaconduit.errors"])
def test_importing_loads_no_grpc_and_no_protobuf(module: str) -> None:
    code = f"import sys, {module}; print([m for m in sys.modules if m.startswith(('grpc', 'google'))])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented() -> None:
    for name in mediaconduit.__all__:
        value = getattr(mediaconduit, name)
        assert value.__doc__, name
        assert name in dir(mediaconduit)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="conect"):
        _ = mediaconduit.conect
