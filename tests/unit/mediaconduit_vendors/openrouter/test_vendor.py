"""Errors as OpenRouter states them."""

from __future__ import annotations

from typing import Any

import pytest
from mediaconduit.errors import Reason
from mediaconduit_vendors.failures import Failure, reason_of
from mediaconduit_vendors.openrouter.vendor import REASONS, read_failure


def stated(code: Any, message: str = "no", **metadata: Any) -> Failure:
    return read_failure({"error": {"code": code, "message": message, "metadata": metadata}})


def test_what_the_models_own_provider_said_is_told() -> None:
    raw = '{"error": {"message": "temperature must be at most 1"}}'
    failure = stated(400, "Provider returned error", provider_name="Anthropic", raw=raw)
    assert failure.message == "Provider returned error (Anthropic says: temperature must be at most 1)"


@pytest.mark.parametrize("raw", ['"busy"', "busy", {"message": "busy"}, {"error": "busy"}])
def test_it_may_say_it_in_several_ways(raw: Any) -> None:
    assert stated(502, "Upstream", raw=raw).message == "Upstream (it says: busy)"


@pytest.mark.parametrize("raw", ["", None, 7, {}, [], {"error": {"code": 1}}])
def test_what_says_nothing_is_left_out(raw: Any) -> None:
    assert stated(502, "Upstream", raw=raw).message == "Upstream"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (stated(502), Reason.VENDOR_UNAVAILABLE),
        (stated(429), Reason.RATE_LIMITED),
        (stated(402), Reason.QUOTA_EXCEEDED),
        (stated(403), Reason.CREDENTIALS_REJECTED),
        (stated(403, reasons=["violence"]), Reason.CONTENT_REFUSED),
        (stated(403, patterns=["ignore all"]), Reason.CONTENT_REFUSED),
        (stated(400, error_type="context_length_exceeded"), Reason.CONTEXT_TOO_LONG),
        (stated(400, error_type="content_policy_violation"), Reason.CONTENT_REFUSED),
        (stated(400, error_type="unmapped"), Reason.INPUT_INVALID),
        (stated(500, error_type="timeout"), Reason.VENDOR_TIMEOUT),
        (stated("server_error"), Reason.VENDOR_UNAVAILABLE),
    ],
)
def test_codes_in_bodies_count_as_statuses_do(failure: Failure, reason: Reason) -> None:
    assert reason_of(failure, REASONS) is reason


@pytest.mark.parametrize("body", [None, "gateway", {"error": "gateway"}, {}, [], {"error": None}])
def test_other_bodies_are_read_as_far_as_they_go(body: Any) -> None:
    assert read_failure(body) in (Failure("gateway"), Failure())
