import pytest
from mediaconduit_provider import InvalidRequestError, PreconditionError, Reason
from mediaconduit_provider.credentials import Credentials, names_of

VALUE = "sk-very-private"


def test_what_is_left_out_is_as_it_was_before() -> None:
    environ = {"KEY": "of the process", "OTHER": "stays"}
    credentials = Credentials((), environ)
    credentials.put({"KEY": "one", "TOKEN": "two"})
    credentials.put({"KEY": "three"})
    assert environ == {"KEY": "three", "OTHER": "stays"}
    assert credentials.put({}) == {"KEY": "three"}
    assert environ == {"KEY": "of the process", "OTHER": "stays"}


@pytest.mark.parametrize("name", ["", "1A", "a b", "A=B", "MEDIACONDUIT_LISTEN", "Ä"])
def test_a_name_that_is_none_changes_nothing_and_the_value_is_not_shown(name: str) -> None:
    environ: dict[str, str] = {}
    with pytest.raises(InvalidRequestError) as raised:
        Credentials((), environ).put({"GOOD": "x", name: VALUE})
    assert environ == {}
    assert [field.field for field in raised.value.fields] == [f"secrets.{name}"]
    assert VALUE not in str(raised.value)


def test_a_value_that_no_variable_can_have_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"secrets\.KEY: holds a zero byte"):
        Credentials((), {}).put({"KEY": "a\0b"})


def test_every_key_that_is_missing_is_named() -> None:
    credentials = Credentials(("A", "B", "C"), {"B": "there", "C": ""})
    with pytest.raises(PreconditionError, match="needs A and C") as raised:
        credentials.require()
    assert (raised.value.reason, raised.value.metadata) == (Reason.CREDENTIALS_MISSING, {"variable": "A,C"})
    credentials.put({"A": "1", "C": "3"})
    credentials.require()


def test_errors_lose_the_values_and_keep_the_rest() -> None:
    credentials = Credentials((), {})
    error = PreconditionError(
        "no abcd", reason=Reason.CREDENTIALS_REJECTED, hint="abcdef", metadata={"a": "xabcdx"}, retry_after=1.0
    )
    assert credentials.clean(error) is error
    credentials.put({"A": "abcd", "B": "abcdef", "C": "a"})
    cleaned = credentials.clean(error)
    assert type(cleaned) is PreconditionError
    assert (cleaned.message, cleaned.hint, cleaned.metadata) == ("no ***", "***", {"a": "x***x"})
    assert (cleaned.reason, cleaned.retry_after) == (error.reason, 1.0)


def test_names_come_in_a_list() -> None:
    assert names_of(" A, B_2 ,,") == ("A", "B_2")
    assert names_of("") == ()
    with pytest.raises(ValueError, match="'A B'"):
        names_of("A B")
