import json

import pytest
from mediaconduit_broker.cli import output


@pytest.fixture(autouse=True)
def fresh_consoles():
    output.console.cache_clear()
    yield
    output.console.cache_clear()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_940, "9.9 kB"),
        (41_600_000, "42 MB"),
        (999_600_000, "1.0 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_bytes_as_people_say_them(count, text):
    assert output.human_bytes(count) == text


def test_columns_are_aligned_also_with_wide_characters(capsys):
    output.table(("name", ">calls", "what"), [["a", "1", "x"], [("日本", "bold"), "1234", ""]])
    assert capsys.readouterr().out.splitlines() == [
        "name  calls  what",
        "a         1  x",
        "日本   1234",
    ]


def test_a_pipe_gets_lines_of_any_length_whole(capsys):
    output.table(("source",), [["/x" * 500]])
    assert "/x" * 500 in capsys.readouterr().out


def test_facts_leave_out_what_is_empty(capsys):
    output.facts({"name": "cowsay", "why": "", "packages": "a\nb"})
    assert capsys.readouterr().out == "name      cowsay\npackages  a\n          b\n"


def test_markup_in_text_is_text(capsys):
    output.table(("name",), [["[red]x[/red]"]])
    output.done("added", "[bold]")
    out = capsys.readouterr()
    assert "[red]x[/red]" in out.out
    assert out.err == "added [bold]\n"


def test_json_for_a_pipe_is_one_line_with_letters_as_they_are(capsys):
    output.print_json({"a": ["ü", 1]})
    text = capsys.readouterr().out
    assert text == '{"a": ["ü", 1]}\n'
    assert json.loads(text) == {"a": ["ü", 1]}
