from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest
from mediaconduit_provider import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


@pytest.mark.parametrize(
    ("level", "prefix"),
    [("error", "<3>"), ("critical", "<3>"), ("warning", "<4>"), ("info", "<6>"), ("debug", "<7>")],
)
def test_a_record_is_one_line_with_its_priority(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, level: str, prefix: str
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure(prefixed=True, level=logging.DEBUG)
    getattr(logging.getLogger("x"), level)("one\ntwo")
    assert stderr.getvalue().startswith(prefix) and stderr.getvalue().count("\n") == 1


def test_people_get_no_priorities(root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure(prefixed=False)
    logging.getLogger("x").warning("hello")
    assert stderr.getvalue() == "WARNING x: hello\n"
