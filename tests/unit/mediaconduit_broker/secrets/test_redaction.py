import base64
import json
from urllib.parse import quote

import pytest
from mediaconduit.errors import FieldViolation, PreconditionError, Reason
from mediaconduit_broker.secrets import Redactor, Secret, hide_credentials

VALUE = 'sk-"quoted"/with ümlaut\\and+more'
PEM = "-----BEGIN KEY-----\nMIIBVAIBADANBgkqhkiG\nab\n-----END KEY-----\n"


def redactor(*values: str) -> Redactor:
    made = Redactor()
    made.add(Secret(value) for value in values)
    return made


@pytest.mark.parametrize(
    "written",
    [
        VALUE,
        repr({"key": VALUE}),
        json.dumps({"key": VALUE}),
        json.dumps({"key": VALUE}, ensure_ascii=False),
        f"https://api.example/?key={quote(VALUE, safe='')}",
        f"https://api.example/{quote(VALUE)}",
        base64.b64encode(VALUE.encode()).decode(),
    ],
)
def test_a_value_is_taken_out_however_it_is_written(written: str) -> None:
    made = redactor(VALUE)
    for cleaned in (made.text(f"before {written} after"), made.data(f"before {written} after".encode()).decode()):
        assert "***" in cleaned
        assert "before" in cleaned and "after" in cleaned
        assert "umlaut" not in cleaned and "quoted" not in cleaned and "more" not in cleaned


def test_of_two_values_that_begin_alike_the_longer_one_leaves_nothing() -> None:
    assert redactor("abcd", "abcdefgh").text("key abcdefgh!") == "key ***!"


def test_every_line_of_a_value_with_several_is_taken_out_alone() -> None:
    made = redactor(PEM)
    assert made.text("it has MIIBVAIBADANBgkqhkiG inside") == "it has *** inside"
    assert made.text(f"whole: {PEM!r}") == "whole: '***\\n'"
    assert made.text("ab is no secret") == "ab is no secret"


def test_values_too_short_to_be_told_from_other_text_stay() -> None:
    assert redactor("abc").text("abc") == "abc"
    assert redactor("abc").longest == 0


def test_earlier_values_stay_redacted_and_do_not_pile_up() -> None:
    made = redactor("first-value")
    made.add([Secret("second-value")])
    assert made.text("first-value second-value") == "*** ***"
    made.add(Secret(f"value-{number:04}") for number in range(400))
    assert made.text("first-value value-0399") == "first-value ***"


def test_nothing_to_look_for_changes_nothing() -> None:
    assert redactor().text("anything") == "anything"
    assert redactor().data(b"any\xffthing") == b"any\xffthing"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("from https://user:hunter2@pypi.example/simple:", "from https://***@pypi.example/simple:"),
        ("http://:token@proxy:3128 refused", "http://***@proxy:3128 refused"),
        ("https://pypi.org/simple at 12:30 me@example.org", "https://pypi.org/simple at 12:30 me@example.org"),
        ("https://pypi.org/a https://u:p@x/", "https://pypi.org/a https://***@x/"),
    ],
)
def test_credentials_in_addresses_are_hidden(text: str, cleaned: str) -> None:
    assert hide_credentials(text) == cleaned


def test_an_error_keeps_its_kind_and_loses_the_value() -> None:
    error = PreconditionError(
        "bad key sk-private",
        reason=Reason.BUILD_FAILED,
        hint="not sk-private",
        fields=[FieldViolation("settings.key", "sk-private is too short")],
        metadata={"last_lines": "key=sk-private", "step": "import"},
        retry_after=2.0,
    )
    cleaned = redactor("sk-private").error(error)
    assert type(cleaned) is PreconditionError
    assert "sk-private" not in repr((str(cleaned), cleaned.__dict__))
    assert (cleaned.reason, cleaned.retry_after) == (Reason.BUILD_FAILED, 2.0)
    assert cleaned.metadata == {"last_lines": "key=***", "step": "import"}
    assert redactor("something-else").error(error) is error
