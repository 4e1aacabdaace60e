"""What ElevenLabs says went wrong: ``{"detail": …}`` with a status and a message, a list of fields, or a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure, text_of
from mediaconduit_vendors.vendor import read_openai_failure

REASONS: Final[Mapping[str, Reason]] = {
    "content_against_policy": Reason.CONTENT_REFUSED,
    "detected_unusual_activity": Reason.CREDENTIALS_REJECTED,
    "free_users_not_allowed": Reason.NOT_ALLOWED,
    "invalid_voice_sample": Reason.INPUT_INVALID,
    "max_character_limit_exceeded": Reason.CONTEXT_TOO_LONG,
    "missing_permissions": Reason.CREDENTIALS_REJECTED,
    "only_for_creator+": Reason.NOT_ALLOWED,
    "system_busy": Reason.VENDOR_UNAVAILABLE,
    "too_many_concurrent_requests": Reason.RATE_LIMITED,
    "voice_limit_reached": Reason.QUOTA_EXCEEDED,
    "voice_not_found": Reason.RESOURCE_NOT_FOUND,
}
"""Its own words, beside those that many vendors use."""


def read_failure(body: Any) -> Failure:
    """Reads the body of an error."""
    detail = body.get("detail") if isinstance(body, Mapping) else None
    if isinstance(detail, Mapping):
        code = text_of(detail.get("status") or detail.get("code"))
        param = text_of(detail.get("param"))
        return Failure(text_of(detail.get("message")), code=code, type=text_of(detail.get("type")), param=param)
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
        places = [text_of(step) for step in detail[0].get("loc") or () if step not in ("body", "query", "path")]
        return Failure(text_of(detail[0].get("msg")), type="validation_error", param=".".join(places))
    return read_openai_failure(body)
