import pytest
from mediaconduit.errors import InvalidRequestError, Reason
from mediaconduit_vendors.failures import MESSAGE_CHARACTERS, Failure, error_of, reason_of
from mediaconduit_vendors.vendor import read_openai_failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure(status=400), Reason.INPUT_INVALID),
        (Failure(status=401), Reason.CREDENTIALS_REJECTED),
        (Failure(status=402), Reason.QUOTA_EXCEEDED),
        (Failure(status=403), Reason.CREDENTIALS_REJECTED),
        (Failure(status=404), Reason.MODEL_NOT_FOUND),
        (Failure(status=408), Reason.VENDOR_TIMEOUT),
        (Failure(status=409), Reason.VENDOR_UNAVAILABLE),
        (Failure(status=413), Reason.INPUT_TOO_LARGE),
        (Failure(status=422), Reason.INPUT_INVALID),
        (Failure(status=429), Reason.RATE_LIMITED),
        (Failure(status=429, code="insufficient_quota"), Reason.QUOTA_EXCEEDED),
        (Failure(status=500), Reason.VENDOR_UNAVAILABLE),
        (Failure(status=504), Reason.VENDOR_TIMEOUT),
        (Failure(status=529, type="overloaded_error"), Reason.VENDOR_UNAVAILABLE),
        (Failure("This model's maximum context length is 8192 tokens", 400), Reason.CONTEXT_TOO_LONG),
        (Failure("prompt is too long: 200001 tokens > 200000 maximum", 400), Reason.CONTEXT_TOO_LONG),
        (Failure("the context length is fine", 500), Reason.VENDOR_UNAVAILABLE),
        (Failure(status=400, code="content_policy_violation"), Reason.CONTENT_REFUSED),
        (Failure(type="overloaded_error"), Reason.VENDOR_UNAVAILABLE),
        (Failure(type="invalid_request_error"), Reason.INPUT_INVALID),
        (Failure("what?"), Reason.VENDOR_UNAVAILABLE),
        (Failure(status=400, code="acme_says_no"), Reason.NOT_ALLOWED),
    ],
)
def test_the_finest_word_a_vendor_gives_decides(failure: Failure, reason: Reason) -> None:
    assert reason_of(failure, {"acme_says_no": Reason.NOT_ALLOWED}) is reason


def error(failure: Failure, **fields: str) -> Exception:
    return error_of(failure, vendor="Acme", reasons={}, fields=fields)


def test_a_field_is_named_as_the_caller_knows_it() -> None:
    refused = error(Failure("must be positive", 400, param="max_tokens"), max_tokens="options.text.max_output_tokens")
    assert isinstance(refused, InvalidRequestError)
    assert [(field.field, field.description) for field in refused.fields] == [
        ("options.text.max_output_tokens", "must be positive")
    ]


def test_a_field_within_one_that_is_known_is_named_by_that_one() -> None:
    refused = error(Failure("no", 400, param="messages[2].content"), messages="turns")
    assert isinstance(refused, InvalidRequestError)
    assert refused.fields[0].field == "turns"


def test_facts_for_programs_are_kept() -> None:
    refused = error(
        Failure("This model's maximum context length is 8,192 tokens, you asked for 9000.", 400, request_id="r-1")
    )
    assert refused.metadata == {"vendor_request_id": "r-1", "limit": "8192", "actual": "9000"}  # type: ignore[attr-defined]


def test_what_is_passed_on_is_bounded() -> None:
    assert len(str(error(Failure("x" * 100_000, 400)))) < 3 * MESSAGE_CHARACTERS


def test_only_what_gets_better_by_waiting_says_how_long() -> None:
    assert error(Failure(status=429, retry_after=7)).retry_after == 7  # type: ignore[attr-defined]
    assert error(Failure(status=400, retry_after=7)).retry_after is None  # type: ignore[attr-defined]
    assert error(Failure(status=429)).retry_after is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (
            {"error": {"message": "m", "type": "t", "code": 5, "param": None}},
            Failure("m", code="5", type="t"),
        ),
        ({"error": "text"}, Failure("text")),
        ({"message": "m", "code": "c"}, Failure("m", code="c")),
        ({"detail": "d"}, Failure("d")),
        ({"error": {"message": {"detail": 1}}}, Failure("{'detail': 1}")),
        ({"error": None, "message": "m"}, Failure("m")),
        ("plain", Failure("plain")),
        (None, Failure()),
        ([1], Failure()),
    ],
)
def test_bodies_of_refusals_are_read_whatever_they_are(body: object, failure: Failure) -> None:
    assert read_openai_failure(body) == failure
