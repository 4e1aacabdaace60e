"""Errors as Mistral states them."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit.errors import Reason
from mediaconduit_vendors.failures import Failure, reason_of
from mediaconduit_vendors.mistral.vendor import REASONS, read_failure

DETAIL = [
    {"loc": ["body", "messages", 0, "content"], "msg": "Field required", "type": "missing"},
    {"loc": ["body", "model"], "msg": "Field required", "type": "missing"},
]


@pytest.mark.parametrize("body", [{"detail": DETAIL}, {"object": "error", "message": {"detail": DETAIL}, "type": "x"}])
def test_the_first_field_that_is_wrong_is_named(body: Any) -> None:
    assert read_failure(body) == Failure("Field required; Field required", param="messages.0.content")


@pytest.mark.parametrize("body", [{"detail": "Unauthorized"}, {"message": "Unauthorized"}, "Unauthorized"])
def test_a_plain_word_is_the_message(body: Any) -> None:
    assert read_failure(body) == Failure("Unauthorized")


@pytest.mark.parametrize("body", [None, [], {}, {"detail": []}, {"detail": [None]}, {"message": None}])
def test_what_says_nothing_is_no_trouble(body: Any) -> None:
    assert read_failure(body).param == ""


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, "invalid_model", Reason.MODEL_NOT_FOUND),
        (429, "rate_limited", Reason.RATE_LIMITED),
        (429, "service_tier_capacity_exceeded", Reason.RATE_LIMITED),
        (0, "internal_server_error", Reason.VENDOR_UNAVAILABLE),
        (400, "invalid_request_error", Reason.INPUT_INVALID),
    ],
)
def test_types_have_their_reasons(status: int, kind: str, reason: Reason) -> None:
    failure = read_failure({"object": "error", "message": "no", "type": kind, "code": "1500"})
    assert reason_of(Failure(failure.message, status=status, type=failure.type), REASONS) is reason
