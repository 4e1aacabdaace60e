import pytest
from mediaconduit import errors
from mediaconduit.errors import FieldViolation, MediaConduitError, Reason, family_of
from mediaconduit_broker.cli import failures, output


@pytest.fixture(autouse=True)
def fresh_consoles():
    output.console.cache_clear()
    yield
    output.console.cache_clear()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_documented_exit_code(reason):
    assert failures.code_of(family_of(reason)("it failed", reason=reason)) in failures.EXIT_CODES


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidRequestError("x"), 3),
        (errors.NotFoundError("x"), 4),
        (errors.PreconditionError("x"), 5),
        (errors.AccessError("x"), 5),
        (errors.UnsupportedError("x"), 5),
        (errors.ExhaustedError("x"), 6),
        (errors.UnavailableError("x"), 6),
        (errors.CallTimeoutError("x"), 7),
        (errors.InternalError("x"), 1),
        (MediaConduitError("x"), 1),
        (failures.UsageError("x"), 2),
        (failures.NoBrokerError("here:1", "failed to connect to all addresses"), 69),
        (RuntimeError("x"), 1),
    ],
)
def test_each_family_has_its_code(error, code, capsys):
    assert failures.report(error) == code
    assert capsys.readouterr().err.startswith("error: ")


def test_fields_and_hint_have_lines_of_their_own(capsys):
    fields = [FieldViolation("options.seed", "is text"), FieldViolation("turns[0]", "is empty")]
    failures.report(errors.InvalidRequestError("two mistakes", fields=fields, hint="mend them"))
    out = capsys.readouterr()
    assert out.err == "error: two mistakes\n  options.seed: is text\n  turns[0]: is empty\nhint: mend them\n"
    assert out.out == ""


def test_a_single_field_is_not_said_twice(capsys):
    failures.report(errors.InvalidRequestError.at("seed", "is text"))
    assert capsys.readouterr().err == "error: seed: is text\n"


def test_an_unforeseen_exception_shows_its_text_on_demand_only(capsys):
    failures.report(RuntimeError("at /home/someone"))
    assert "/home/someone" not in capsys.readouterr().err
    failures.report(RuntimeError("at /home/someone"), debug=True)
    assert "/home/someone" in capsys.readouterr().err


def test_text_of_others_cannot_steer_the_terminal(capsys):
    failures.report(errors.InternalError("a\x1b]0;title\x07b\x9bc\rd"))
    shown = capsys.readouterr().err
    assert not set(shown) & set("\x1b\x07\x9b\r")
    assert "title" in shown


def test_a_broken_connection_is_told_from_one_that_never_was():
    assert "no broker answers at h:1" in failures.NoBrokerError("h:1", "failed to connect to all addresses; …").message
    assert "was lost" in failures.NoBrokerError("h:1", "Socket closed").message
