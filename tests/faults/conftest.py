"""Counts what was tried and what went wrong; every round of every fault is one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROUNDS = int(os.environ.get("MEDIACONDUIT_FAULT_ROUNDS", "3"))
"""How often each fault is tried; `make faults` asks for more."""


@dataclass
class Tally:
    """What happened over the whole run."""

    tried: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)


TALLY = Tally()


class Rounds:
    """The rounds of one fault.

    `lost`: a call ended without its events and without a typed error. `hung`: it did not end. `leaked`: something
    stayed behind.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count

    def __iter__(self):
        for number in range(self.count):
            TALLY.tried[self.name] = TALLY.tried.get(self.name, 0) + 1
            yield number

    def tried(self, count: int) -> None:
        """Further tries inside one round."""
        TALLY.tried[self.name] = TALLY.tried.get(self.name, 0) + count

    def lost(self, what: object) -> None:
        TALLY.lost.append(f"{self.name}: {what}")

    def hung(self, what: object) -> None:
        TALLY.hung.append(f"{self.name}: {what}")

    def leaked(self, what: object) -> None:
        TALLY.leaked.append(f"{self.name}: {what}")


@pytest.fixture
def rounds(request: pytest.FixtureRequest):
    """Rounds of this test's fault; a round that lost, hung or leaked anything fails it."""
    before = len(TALLY.lost), len(TALLY.hung), len(TALLY.leaked)
    made = Rounds(request.node.name.removeprefix("test_").replace("_", " "), ROUNDS)
    yield made
    wrong = [*TALLY.lost[before[0] :], *TALLY.hung[before[1] :], *TALLY.leaked[before[2] :]]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not TALLY.tried:
        return
    terminalreporter.section("faults")
    for name, count in TALLY.tried.items():
        terminalreporter.write_line(f"{count:6d} × {name}")
    total = sum(TALLY.tried.values())
    terminalreporter.write_line(
        f"faults: {total} tried, {len(TALLY.lost)} lost, {len(TALLY.hung)} hung, {len(TALLY.leaked)} leaked"
    )
