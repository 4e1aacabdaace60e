"""How Gemini answers and refuses."""

from __future__ import annotations

import base64
from typing import Any

from mediaconduit.errors import Reason
from mediaconduit_vendors.testing import sse

from tests.integration.vendors.matrix import Refusal

MODEL = "gemini-2.5-flash"
NEWER = "gemini-3.8-flash"
PNG = b"\x89PNG\r\n\x1a\n made up"
PCM = bytes(range(256)) * 20
STATUSES = {
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    529: "UNAVAILABLE",
}


def status(code: int, name: str, message: str = "made up", *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": name, "details": list(details)}}


def errors(code: int) -> Any:
    return status(code, STATUSES[code])


def chunk(*parts: dict[str, Any], finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 9, "totalTokenCount": 21}
    return {
        "candidates": [{**candidate, **more}],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
    }


def media(data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}, **more}


BAD_FIELD = status(
    400,
    "INVALID_ARGUMENT",
    "Invalid value",
    {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "generation_config.temperature", "description": "too hot"}],
    },
)
BAD_KEY = status(
    400,
    "INVALID_ARGUMENT",
    "API key not valid.",
    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
)
TOO_LONG = status(
    400,
    "INVALID_ARGUMENT",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
)
SPENT = status(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota.",
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
    },
)
REFUSALS = (
    Refusal(400, BAD_FIELD, Reason.INPUT_INVALID, "options.text.temperature"),
    Refusal(400, BAD_KEY, Reason.CREDENTIALS_REJECTED),
    Refusal(400, TOO_LONG, Reason.CONTEXT_TOO_LONG),
    Refusal(429, SPENT, Reason.QUOTA_EXCEEDED),
)
STREAM_ERROR = sse(status(503, "UNAVAILABLE", "The model is overloaded.")).pieces[0]
SHARED: dict[str, Any] = {
    "vendor": "gemini",
    "base": "/v1beta",
    "description": "gemini/openapi.json",
    "errors": errors,
    "model": MODEL,
}
ALT = {"query alt: not described": "alt=sse asks for server-sent events, as Google's SDK google-genai 3.4.0 does"}


def streamed(model: str) -> dict[str, Any]:
    """What all cases have in common that stream."""
    return {
        **SHARED,
        "model": model,
        "path": f"/v1beta/models/{model}:streamGenerateContent",
        "stream_error": STREAM_ERROR,
        "beyond": ALT,
    }
