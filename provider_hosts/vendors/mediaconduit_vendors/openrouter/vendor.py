"""OpenRouter as a vendor: who it is, and how it states errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure, text_of
from mediaconduit_vendors.vendor import Vendor

REASONS: Final[Mapping[str, Reason]] = {
    "authentication": Reason.CREDENTIALS_REJECTED,
    "permission_denied": Reason.CREDENTIALS_REJECTED,
    "payment_required": Reason.QUOTA_EXCEEDED,
    "provider_overloaded": Reason.VENDOR_UNAVAILABLE,
    "provider_unavailable": Reason.VENDOR_UNAVAILABLE,
    "server": Reason.VENDOR_UNAVAILABLE,
    "timeout": Reason.VENDOR_TIMEOUT,
    "max_tokens_exceeded": Reason.CONTEXT_TOO_LONG,
    "token_limit_exceeded": Reason.CONTEXT_TOO_LONG,
    "string_too_long": Reason.INPUT_TOO_LARGE,
    "payload_too_large": Reason.INPUT_TOO_LARGE,
    "image_too_large": Reason.INPUT_TOO_LARGE,
    "not_found": Reason.MODEL_NOT_FOUND,
    "refusal": Reason.CONTENT_REFUSED,
    "blocked": Reason.CONTENT_REFUSED,
    "invalid_request": Reason.INPUT_INVALID,
    "invalid_prompt": Reason.INPUT_INVALID,
    "precondition_failed": Reason.INPUT_INVALID,
    "unprocessable": Reason.INPUT_INVALID,
}
"""What ``error.metadata.error_type`` means; "blocked" is ours."""


def read_failure(body: Any) -> Failure:
    """``{"error": {"code": 429, "message", "metadata": {"error_type", "provider_name", "raw"}}}``.

    The code is a status of HTTP, also inside a stream; what a model's own provider said is in ``raw``.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return Failure(text_of(error or (body if isinstance(body, str) else None)))
    stated = error.get("metadata")
    metadata: Mapping[str, Any] = stated if isinstance(stated, Mapping) else {}
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    kind = text_of(metadata.get("error_type"))
    if not kind and status == 403 and (metadata.get("reasons") or metadata.get("patterns")):
        kind = "blocked"
    return Failure(
        _message(error, metadata),
        status=status,
        code=kind if kind != "unmapped" else "",
        type="" if status else text_of(code or error.get("type")),
        param=text_of(error.get("param")),
    )


def _message(error: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    message, raw = text_of(error.get("message")), metadata.get("raw")
    said = _said(raw)
    if not said or said in message:
        return message
    return f"{message} ({text_of(metadata.get('provider_name')) or 'it'} says: {said})"


def _said(raw: Any) -> str:
    """The message in a provider's own error, which is JSON as text most of the time."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            return text_of(raw).strip()
    inner = raw.get("error", raw) if isinstance(raw, Mapping) else raw
    said = inner.get("message") if isinstance(inner, Mapping) else inner
    return said.strip() if isinstance(said, str) else ""


OPENROUTER: Final = Vendor(
    "openrouter",
    "OpenRouter",
    "https://openrouter.ai/api/v1",
    key="OPENROUTER_API_KEY",
    read_failure=read_failure,
    reasons=REASONS,
    request_id_headers=("x-generation-id", "cf-ray"),
)
"""Whom it talks to."""
