"""What the tests of vendors share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def without_backoff() -> Iterator[None]:
    """Retries happen, but nobody waits for them."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)
