import copy
import json
import pickle
import traceback
from dataclasses import dataclass

import pytest
from mediaconduit_broker.secrets import Secret

VALUE = "sk-very-private"


@dataclass
class Holder:
    key: Secret


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(VALUE, "folder")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", "%s" % secret]  # noqa: UP031
    assert {*shown, repr(Holder(secret)), str([secret])} >= {"***"}
    assert not any(VALUE in text for text in (*shown, repr(Holder(secret)), str([secret]), str({"key": secret})))


def test_a_secret_is_not_written_anywhere_by_accident() -> None:
    secret = Secret(VALUE)
    for write in (pickle.dumps, json.dumps, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            write(secret)  # type: ignore[operator]
        assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_whoever_hands_it_on_can_have_it() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_equal_values_are_equal_wherever_they_were_found() -> None:
    assert Secret(VALUE, "folder") == Secret(VALUE, "environment")
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
