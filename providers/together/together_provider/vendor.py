"""Together as a vendor: who it is, where its operations are, and how it states errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mediaconduit.errors import Reason
from mediaconduit_provider import Call
from mediaconduit_vendors.failures import Failure
from mediaconduit_vendors.openai.operation import Address
from mediaconduit_vendors.vendor import Vendor, read_openai_failure

_TOO_LONG: Final = re.compile(r"max_(new_)?tokens\S* (parameter )?must be|context length", re.IGNORECASE)
"""Together says so with status 403 as well (docs.together.ai/docs/error-codes), which elsewhere is about keys."""


class V1(Address):
    """All but video: that is in version 2."""

    def url(self, path: str, call: Call) -> str:
        """The path below the host."""
        return f"/v1{path}"


def read_failure(body: Any) -> Failure:
    """``{"error": {"message", "type", "param", "code"}}``."""
    failure = read_openai_failure(body)
    return replace(failure, code="context_length_exceeded") if _TOO_LONG.search(failure.message) else failure


REASONS: Final[Mapping[str, Reason]] = {
    "credit_limit": Reason.QUOTA_EXCEEDED,
    "credit_limit_exceeded": Reason.QUOTA_EXCEEDED,
    "model_not_available": Reason.MODEL_NOT_FOUND,
    "rate_limit": Reason.RATE_LIMITED,
    "service_unavailable": Reason.VENDOR_UNAVAILABLE,
}
"""What its own types and codes mean."""

TOGETHER: Final = Vendor(
    "together",
    "Together",
    "https://api.together.ai",
    key="TOGETHER_API_KEY",
    read_failure=read_failure,
    reasons=REASONS,
    request_id_headers=("x-request-id", "cf-ray"),
)
"""Whom it talks to."""
