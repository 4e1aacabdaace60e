"""Gemini as a vendor: its address, its key, how it says what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure, text_of
from mediaconduit_vendors.limits import seconds_of
from mediaconduit_vendors.vendor import Vendor

_DAILY: Final = "PerDay"
"""In the id of a quota that is spent for today: waiting as for a rate does not help."""
_CODES: Final[Mapping[int, tuple[int, str]]] = {
    3: (400, "INVALID_ARGUMENT"),
    4: (504, "DEADLINE_EXCEEDED"),
    5: (404, "NOT_FOUND"),
    7: (403, "PERMISSION_DENIED"),
    8: (429, "RESOURCE_EXHAUSTED"),
    9: (400, "FAILED_PRECONDITION"),
    13: (500, "INTERNAL"),
    14: (503, "UNAVAILABLE"),
    16: (401, "UNAUTHENTICATED"),
}
"""HTTP status and name of gRPC's codes: what failed in the background has these."""
_SNAKE: Final = re.compile(r"_([a-z])")


def read_gemini_failure(body: Any) -> Failure:
    """``{"error": {"code", "message", "status", "details"}}``, of google.rpc.Status; streams may put it into a list."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, Mapping):
        return Failure(body if isinstance(body, str) else "")
    error = body.get("error")
    if not isinstance(error, Mapping):
        return Failure(text_of(error))
    details = [each for each in error.get("details") or () if isinstance(each, Mapping)]
    number = error.get("code")
    status, name = _CODES.get(number, (number, "")) if isinstance(number, int) else (0, "")
    return Failure(
        text_of(error.get("message")),
        status=status,
        code="quota_exceeded" if _DAILY in "".join(_quotas(details)) else _first(details, "reason"),
        type=text_of(error.get("status")) or name,
        param=_field(details),
        retry_after=seconds_of(_first(details, "retryDelay"), 0.0),
    )


def _first(details: list[Mapping[str, Any]], name: str) -> str:
    return next((text_of(each[name]) for each in details if name in each), "")


def _field(details: list[Mapping[str, Any]]) -> str:
    """The field complained about, in the words of the JSON that was sent."""
    for each in details:
        for violation in each.get("fieldViolations") or ():
            return _SNAKE.sub(lambda found: found[1].upper(), text_of(violation.get("field")))
    return ""


def _quotas(details: list[Mapping[str, Any]]) -> Iterator[str]:
    for each in details:
        for violation in each.get("violations") or ():
            yield text_of(violation.get("quotaId"))


def authorise(key: str) -> Mapping[str, str]:
    """The key as Gemini wants it."""
    return {"x-goog-api-key": key}


GEMINI: Final = Vendor(
    "gemini",
    "Gemini",
    "https://generativelanguage.googleapis.com/v1beta",
    key="GEMINI_API_KEY",
    authorise=authorise,
    read_failure=read_gemini_failure,
    reasons={
        "API_KEY_INVALID": Reason.CREDENTIALS_REJECTED,
        "API_KEY_SERVICE_BLOCKED": Reason.CREDENTIALS_REJECTED,
        "SERVICE_DISABLED": Reason.CREDENTIALS_REJECTED,
        "UNAUTHENTICATED": Reason.CREDENTIALS_REJECTED,
        "PERMISSION_DENIED": Reason.CREDENTIALS_REJECTED,
        # A country, or a project without billing: nothing about the request is wrong.
        "FAILED_PRECONDITION": Reason.NOT_ALLOWED,
        "NOT_FOUND": Reason.MODEL_NOT_FOUND,
        "UNAVAILABLE": Reason.VENDOR_UNAVAILABLE,
        "INTERNAL": Reason.VENDOR_UNAVAILABLE,
        "DEADLINE_EXCEEDED": Reason.VENDOR_TIMEOUT,
        "RESOURCE_EXHAUSTED": Reason.RATE_LIMITED,
    },
    request_id_headers=("x-goog-request-id", "x-request-id"),
)
"""The vendor."""
