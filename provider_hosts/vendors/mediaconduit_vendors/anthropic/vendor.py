"""Anthropic as a vendor: its address, its key, how it says what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure, text_of
from mediaconduit_vendors.vendor import Vendor

VERSION: Final = "2023-06-01"
"""Of the API; sent with every request."""

_PATH: Final = re.compile(r"([a-z_]+(?:\.[a-zA-Z0-9_-]+)*): ")
"""What messages about a field begin with: "messages.0.content.1.image.source: …"."""


def read_anthropic_failure(body: Any) -> Failure:
    """``{"type": "error", "error": {"type", "message"}, "request_id"}``, in an answer as in a stream."""
    if not isinstance(body, Mapping):
        return Failure(body if isinstance(body, str) else "")
    error = body.get("error")
    if not isinstance(error, Mapping):
        return Failure(text_of(error or body.get("message")))
    message, kind = text_of(error.get("message")), text_of(error.get("type"))
    path = _PATH.match(message) if kind == "invalid_request_error" else None
    return Failure(
        message,
        # A key without money is refused as if the request were wrong.
        code="billing_error" if "credit balance" in message else "",
        type=kind,
        param=path[1] if path else "",
        request_id=text_of(body.get("request_id")),
    )


def authorise(key: str) -> Mapping[str, str]:
    """The key as Anthropic wants it."""
    return {"x-api-key": key}


ANTHROPIC: Final = Vendor(
    "anthropic",
    "Anthropic",
    "https://api.anthropic.com",
    key="ANTHROPIC_API_KEY",
    authorise=authorise,
    headers={"anthropic-version": VERSION},
    read_failure=read_anthropic_failure,
    reasons={"not_found_error": Reason.MODEL_NOT_FOUND},
    request_id_headers=("request-id", "x-request-id"),
    retries_conflicts=True,
)
"""The vendor. Its SDKs try a 409 again, and so do we."""
