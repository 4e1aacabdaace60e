"""Commands in a manifest are lists, or lines that no shell ever sees."""

from __future__ import annotations

import pytest
from mediaconduit.errors import PreconditionError
from mediaconduit_broker.manifest.read import parse_manifest


def test_lines_are_split_as_a_shell_would_and_lists_are_taken_as_they_are() -> None:
    manifest = parse_manifest(
        "id: mine\nruntime: exec\ncommand: bin/mine --on $HOME\n"
        "build:\n  - go build -ldflags '-s -w' .\n  - [make, 'a b', 3]\n"
    )
    assert manifest.build == (("go", "build", "-ldflags", "-s -w", "."), ("make", "a b", "3"))
    assert manifest.command == ("bin/mine", "--on", "$HOME")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("id: mine\nruntime: exec\n", 2, "command: missing"),
        ("id: mine\nruntime: exec\ncommand: 'bin/mine \"open'\n", 3, "command: no closing quotation"),
        ('id: mine\nruntime: exec\ncommand: x\nbuild:\n  - make\n  - "a \'b"\n', 6, "build.1: no closing quotation"),
        ("id: mine\nruntime: exec\ncommand: '  '\n", 3, "command: empty"),
        ("id: mine\nruntime: exec\ncommand: []\n", 3, "command"),
    ],
)
def test_mistakes_are_found_with_their_lines(text: str, line: int, says: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        parse_manifest(text)
    (field,) = caught.value.fields
    assert field.field.endswith(f":{line}")
    assert field.description.startswith(says)
