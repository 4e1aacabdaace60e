from pathlib import Path

import pytest
from mediaconduit_broker.cli import values
from mediaconduit_broker.cli.failures import UsageError


def test_settings_are_json_where_they_parse():
    assert values.settings(["width=40", "names=[1, 2]", "greeting=hello", 'quoted="40"', "empty="]) == {
        "width": 40,
        "names": [1, 2],
        "greeting": "hello",
        "quoted": "40",
        "empty": "",
    }


def test_dots_make_objects():
    assert values.options(["text.temperature=0.2", "text.top_k=5", "seed=1", "extra.width=40"]) == {
        "text": {"temperature": 0.2, "top_k": 5},
        "seed": 1,
        "extra": {"width": 40},
    }


def test_what_is_text_in_the_contract_stays_text():
    given = values.options(["audio.voice=7", 'text.json_schema={"type": "object"}', "video.frame.quality=1"])
    assert given == {
        "audio": {"voice": "7"},
        "text": {"json_schema": '{"type": "object"}'},
        "video": {"frame": {"quality": "1"}},
    }


def test_a_value_may_hold_an_equals_sign():
    assert values.settings(["token=a=b"]) == {"token": "a=b"}


@pytest.mark.parametrize("given", ["seed", "=1", ""])
def test_what_is_no_pair_is_refused(given):
    with pytest.raises(UsageError, match="key=value"):
        values.options([given])


@pytest.mark.parametrize("given", [["extra.a=1", "extra.a.b=2"], ["extra.a.b=2", "extra.a=1"], ["extra.=1"]])
def test_a_name_has_a_value_or_fields(given):
    with pytest.raises(UsageError, match=r"-O extra\."):
        values.options(given)


@pytest.mark.parametrize(("given", "near"), [("sed=1", "seed"), ("timeout=3", "unknown"), ("inputs.a=b", "known are")])
def test_an_unknown_option_names_the_nearest(given, near):
    with pytest.raises(UsageError, match=near):
        values.options([given])


@pytest.mark.parametrize("given", ["./cowsay", "providers/cowsay", "../up", "~/mine", "/opt/mine"])
def test_paths_start_from_here(given):
    found = values.source(given)
    assert Path(found).is_absolute()
    assert ".." not in found and "~" not in found


@pytest.mark.parametrize("given", ["cowsay", "file:///opt/mine", "github:o/r@main", "https://example.org/o/r"])
def test_names_and_urls_stay_as_they_are(given):
    assert values.source(given) == given
