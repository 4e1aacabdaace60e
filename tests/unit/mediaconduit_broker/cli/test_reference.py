from pathlib import Path

from mediaconduit_broker.cli.failures import EXIT_CODES
from mediaconduit_broker.cli.reference import render, update

PAGE = Path(__file__).parents[4] / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say():
    text = PAGE.read_text()
    assert update(text) == text, "bring it up to date: python -m mediaconduit_broker.cli.reference docs/cli.md"


def test_every_parameter_says_what_it_is():
    rows = [line for line in render().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [
        row for row in rows if row.endswith("|  |") or ("TEXT`" in row and "--system" not in row and "[" in row)
    ] == []


def test_every_exit_code_is_on_the_page():
    assert [code for code in EXIT_CODES if f"| {code} |" not in PAGE.read_text()] == []
