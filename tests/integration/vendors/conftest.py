"""What the tests of vendors share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import stamina

KEYS = ("_KEY", "_TOKEN")
"""How the names of vendors' variables end."""


@pytest.fixture(autouse=True)
def without_backoff() -> Iterator[None]:
    """Retries happen, but nobody waits for them."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture(autouse=True)
def without_keys() -> Iterator[None]:
    """No vendor's key of whoever runs the tests is used, and none of ours stays."""
    before = {name: value for name, value in os.environ.items() if name.endswith(KEYS)}
    for name in before:
        del os.environ[name]
    yield
    for name in [name for name in os.environ if name.endswith(KEYS)]:
        del os.environ[name]
    os.environ.update(before)
