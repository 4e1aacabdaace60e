"""The engine's errors in the contract's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mediaconduit_provider import InternalError, InvalidRequestError, MediaConduitError, Reason, UnavailableError

_BATCH = re.compile(r"input \((\d+) tokens\) is too large.*batch size: (\d+)")
_SCHEMA = re.compile(r"JSON schema (?:error|conversion failed)[^:]*: *(.+)", re.DOTALL)


def from_answer(error: Mapping[str, Any]) -> MediaConduitError:
    """For {"code", "message", "type", …} in place of an answer."""
    message, kind = str(error.get("message", "")), error.get("type")
    if kind == "exceed_context_size_error":
        return too_long(error.get("n_ctx", 0), error.get("n_prompt_tokens", 0), "context_tokens")
    if found := _BATCH.search(message):
        return too_long(found[2], found[1], "batch_tokens")
    if "samplers" in message:
        return InvalidRequestError.at(
            "options.text", "the engine cannot make the model follow this schema or these tools", hint="simplify them"
        )
    if kind == "invalid_request_error":
        return InvalidRequestError.at("turns", "the model's chat template does not take this conversation")
    if kind == "unavailable_error":
        return UnavailableError("the model is still being loaded", retry_after=1.0)
    return InternalError("the engine failed", reason=Reason.VENDOR_PROTOCOL, hint="the provider's log says more")


def too_long(limit: object, actual: object, setting: str) -> InvalidRequestError:
    """The input does not fit."""
    return InvalidRequestError(
        f"the input takes {actual} tokens; this model takes {limit}",
        reason=Reason.CONTEXT_TOO_LONG,
        metadata={"limit": str(limit), "actual": str(actual)},
        hint=f"shorten it, or raise settings.{setting}",
    )


def from_refusal(words: str, *, schema: bool) -> InvalidRequestError:
    """For a request the engine did not even begin: with a `schema`, that is what it refuses."""
    found = _SCHEMA.search(words)
    if schema:
        why = found[1].strip()[:300] if found else "this schema cannot be followed"
        return InvalidRequestError.at("options.text.json_schema", why)
    if found:
        return InvalidRequestError.at("options.text.tools", found[1].strip()[:300])
    return InvalidRequestError.at("turns", "the model's chat template does not take this conversation")
