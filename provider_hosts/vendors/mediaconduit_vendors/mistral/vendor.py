"""Mistral as a vendor: who it is, and how it states errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure
from mediaconduit_vendors.vendor import Vendor, read_openai_failure

REASONS: Final[Mapping[str, Reason]] = {
    "invalid_model": Reason.MODEL_NOT_FOUND,
    "rate_limited": Reason.RATE_LIMITED,
    "service_tier_capacity_exceeded": Reason.RATE_LIMITED,
    "unreachable_backend": Reason.VENDOR_UNAVAILABLE,
    "internal_server_error": Reason.VENDOR_UNAVAILABLE,
}
"""What its types mean."""


def read_failure(body: Any) -> Failure:
    """``{"object": "error", "message", "type", "param", "code"}``, or ``{"detail": [{"loc", "msg", "type"}]}``.

    The second may stand in the message of the first.
    """
    if isinstance(body, Mapping):
        for holder in (body, body.get("message")):
            detail = holder.get("detail") if isinstance(holder, Mapping) else None
            if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
                return _invalid(detail)
    failure = read_openai_failure(body)
    # The code is a number that says less than the type does.
    return Failure(failure.message, type=failure.type, param=failure.param)


def _invalid(details: list[Any]) -> Failure:
    """Fields that are not as they should be; the first is the one that is named."""
    texts = [str(each.get("msg") or "") for each in details if isinstance(each, Mapping)]
    place = [str(step) for step in details[0].get("loc") or () if step != "body"]
    return Failure("; ".join(filter(None, texts)), param=".".join(place))


MISTRAL: Final = Vendor(
    "mistral",
    "Mistral",
    "https://api.mistral.ai/v1",
    key="MISTRAL_API_KEY",
    read_failure=read_failure,
    reasons=REASONS,
    request_id_headers=("mistral-correlation-id", "x-kong-request-id", "x-request-id"),
)
"""Whom it talks to."""
