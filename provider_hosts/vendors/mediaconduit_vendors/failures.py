"""What a vendor says went wrong, as an error of the closed list. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mediaconduit.errors import FieldViolation, MediaConduitError, Reason, family_of

from mediaconduit_vendors.limits import DEFAULT_WAIT

MESSAGE_CHARACTERS: Final = 1000
"""Most of a vendor's message that is passed on: the details of a status are bounded."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a vendor states it; empty where it states nothing."""

    message: str = ""
    status: int = 0
    """HTTP status; 0 inside a stream."""
    code: str = ""
    """The vendor's finer word ("context_length_exceeded")."""
    type: str = ""
    """The vendor's coarser word ("invalid_request_error")."""
    param: str = ""
    """The field it complains about, as the vendor names it."""
    request_id: str = ""
    retry_after: float | None = None
    """Seconds."""
    details: tuple[object, ...] = field(default=())
    """Messages of the contract that travel with the error (``Scores``)."""


REASONS: Final[Mapping[str, Reason]] = {
    "authentication_error": Reason.CREDENTIALS_REJECTED,
    "billing_error": Reason.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": Reason.QUOTA_EXCEEDED,
    "content_filter": Reason.CONTENT_REFUSED,
    "content_policy_violation": Reason.CONTENT_REFUSED,
    "context_length_exceeded": Reason.CONTEXT_TOO_LONG,
    "exceeded_current_quota_error": Reason.QUOTA_EXCEEDED,
    "insufficient_quota": Reason.QUOTA_EXCEEDED,
    "invalid_api_key": Reason.CREDENTIALS_REJECTED,
    "model_not_found": Reason.MODEL_NOT_FOUND,
    "moderation_blocked": Reason.CONTENT_REFUSED,
    "overloaded_error": Reason.VENDOR_UNAVAILABLE,
    "permission_error": Reason.CREDENTIALS_REJECTED,
    "quota_exceeded": Reason.QUOTA_EXCEEDED,
    "rate_limit_error": Reason.RATE_LIMITED,
    "rate_limit_exceeded": Reason.RATE_LIMITED,
    "request_too_large": Reason.INPUT_TOO_LARGE,
    "server_error": Reason.VENDOR_UNAVAILABLE,
    "timeout_error": Reason.VENDOR_TIMEOUT,
}
"""What codes and types mean that several vendors use; a vendor's own come in `Vendor.reasons`."""

_STATUSES: Final[Mapping[int, Reason]] = {
    401: Reason.CREDENTIALS_REJECTED,
    402: Reason.QUOTA_EXCEEDED,
    403: Reason.CREDENTIALS_REJECTED,
    404: Reason.MODEL_NOT_FOUND,
    408: Reason.VENDOR_TIMEOUT,
    409: Reason.VENDOR_UNAVAILABLE,
    413: Reason.INPUT_TOO_LARGE,
    425: Reason.VENDOR_UNAVAILABLE,
    429: Reason.RATE_LIMITED,
    504: Reason.VENDOR_TIMEOUT,
}
_TOO_LONG: Final = re.compile(
    r"maximum (context|prompt) length|context (length|window|size)|prompt is too long|too many (input )?tokens"
    r"|input token count .* exceeds|exceeds? the (max\w*|available) .*(context|tokens)",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(r"\b(\d[\d,]{2,})\s*(?:tokens?\b)?")
_HINTS: Final[Mapping[Reason, str]] = {
    Reason.CREDENTIALS_REJECTED: "give the provider another key: put it where the broker looks for secrets",
    Reason.QUOTA_EXCEEDED: "add credit or raise the limit at the vendor",
    Reason.MODEL_NOT_FOUND: "ListModels gives the models this key may use",
    Reason.CONTEXT_TOO_LONG: "shorten the conversation, or choose a model with a longer context",
    Reason.CONTENT_REFUSED: "change the input",
    Reason.VENDOR_UNAVAILABLE: "try again a little later, or name another vendor's model as well",
    Reason.VENDOR_TIMEOUT: "try again, or allow more time in the provider's settings",
}


def error_of(
    failure: Failure, *, vendor: str, reasons: Mapping[str, Reason], fields: Mapping[str, str]
) -> MediaConduitError:
    """The typed error for what a vendor said.

    Args:
        failure: As read from its answer.
        vendor: Its name, for people.
        reasons: Its own codes and types.
        fields: Paths in our request by the names the vendor knows them by ("max_tokens").
    """
    reason = reason_of(failure, reasons)
    metadata = _metadata(failure, reason)
    message = failure.message.strip()[:MESSAGE_CHARACTERS] or f"status {failure.status}"
    retry_after = failure.retry_after
    if reason is Reason.RATE_LIMITED and retry_after is None:
        retry_after = DEFAULT_WAIT
    return family_of(reason)(
        f"{vendor}: {message}",
        reason=reason,
        hint=_HINTS.get(reason, ""),
        fields=_violations(failure, reason, fields),
        metadata=metadata,
        retry_after=retry_after if reason in _WAITED_FOR else None,
        details=failure.details,
    )


_WAITED_FOR: Final = frozenset({Reason.RATE_LIMITED, Reason.VENDOR_UNAVAILABLE})


def reason_of(failure: Failure, reasons: Mapping[str, Reason]) -> Reason:
    """Why, by the finest word the vendor gives: code, type, what its message says, status."""
    for word in (failure.code, failure.type):
        if (found := reasons.get(word) or REASONS.get(word)) is not None:
            return found
    if failure.status in (0, 400, 413, 422) and _TOO_LONG.search(failure.message):
        return Reason.CONTEXT_TOO_LONG
    if failure.status >= 500:
        return _STATUSES.get(failure.status, Reason.VENDOR_UNAVAILABLE)
    if failure.status == 0:
        return Reason.INPUT_INVALID if "invalid" in failure.type else Reason.VENDOR_UNAVAILABLE
    return _STATUSES.get(failure.status, Reason.INPUT_INVALID)


def _metadata(failure: Failure, reason: Reason) -> dict[str, str]:
    facts = {"vendor_request_id": failure.request_id, "vendor_code": failure.code or failure.type}
    if reason in (Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED):
        facts["whose"] = "vendor"
    if reason is Reason.CONTEXT_TOO_LONG:
        numbers = sorted({int(found.replace(",", "")) for found in _NUMBERS.findall(failure.message)})
        if len(numbers) >= 2:
            facts |= {"limit": str(numbers[0]), "actual": str(numbers[-1])}
    return {name: value for name, value in facts.items() if value}


def _violations(failure: Failure, reason: Reason, fields: Mapping[str, str]) -> list[FieldViolation]:
    if reason is not Reason.INPUT_INVALID:
        return []
    param = failure.param
    where = _place(param, fields) or (f"vendor field {param}" if param else "request")
    return [FieldViolation(where, failure.message.strip()[:MESSAGE_CHARACTERS] or "the vendor refuses it")]


def _place(param: str, fields: Mapping[str, str]) -> str:
    """Our path for the longest part of the vendor's path that is known ("messages.0.content.1"); empty = none."""
    while param and param not in fields:
        param = param[: max(param.rfind("."), param.rfind("["), 0)]
    return fields.get(param, "")


def text_of(value: Any) -> str:
    """A vendor's word as text, whatever it is: codes come as numbers and as null."""
    return "" if value is None else str(value)
