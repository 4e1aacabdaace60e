import pytest
from cowsay_provider.balloon import balloon, cells, wrap
from cowsay_provider.characters import CHARACTERS, draw


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("moo", 3), ("世界", 4), ("e\u0301", 1), ("a\u200bb", 2), ("\uff21", 2)],
)
def test_wide_characters_count_two_columns_and_invisible_ones_none(text, columns):
    assert cells(text) == columns


def test_a_short_text_has_a_pointed_balloon():
    assert list(balloon("moo", width=40, think=False)) == [" _____", "< moo >", " -----"]


def test_several_lines_are_padded_to_the_longest():
    assert list(balloon("one\nthree\nto", width=40, think=False)) == [
        " _______",
        "/ one   \\",
        "| three |",
        "\\ to    /",
        " -------",
    ]


def test_thoughts_are_round():
    assert list(balloon("moo", width=40, think=True))[1] == "( moo )"


@pytest.mark.parametrize("width", [10, 11, 40])
def test_no_line_is_wider_than_asked_and_no_word_is_lost(width):
    text = "日本語のとても長いテキスト and a supercalifragilistic word e\u0301e\u0301 of it"
    lines = list(wrap(text, width))
    assert max(map(cells, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_word_as_wide_as_the_balloon_stands_alone():
    assert list(wrap("a 1234567890 b", 10)) == ["a", "1234567890", "b"]


def test_every_balloon_is_a_rectangle():
    top, *middle, bottom = balloon("世界 hello\n\n日本語 the end", width=12, think=False)
    assert {cells(line) for line in middle} == {cells(top) + 1} == {cells(bottom) + 1}


def test_lines_that_fit_stay_as_they_are_and_controls_go():
    assert list(wrap("  a   b\n\n\ta\n\x1b[1mred\x07\n", 40)) == ["  a   b", "", "    a", "[1mred"]


@pytest.mark.parametrize("name", CHARACTERS)
def test_every_character_shows_eyes_tongue_and_how_it_speaks(name):
    said = "\n".join(draw(CHARACTERS[name], eyes="$$", tongue="UU", think=False))
    thought = "\n".join(draw(CHARACTERS[name], eyes="$$", tongue="UU", think=True))
    assert said.count("$$") == said.count("UU") == 1
    assert not set("@~*") & set(said)
    assert said != thought
