"""What there is to know about a vendor before talking to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mediaconduit.errors import Reason

from mediaconduit_vendors.failures import Failure, text_of


def bearer(key: str) -> Mapping[str, str]:
    """The key as most vendors want it."""
    return {"authorization": f"Bearer {key}"}


def read_openai_failure(body: Any) -> Failure:
    """``{"error": {"message", "type", "code", "param"}}``, the style most vendors follow more or less.

    Also ``{"error": "text"}``, ``{"message": …}``, ``{"detail": …}`` and plain text.
    """
    if isinstance(body, str):
        return Failure(body)
    if not isinstance(body, Mapping):
        return Failure()
    error = body.get("error") or body
    if isinstance(error, str):
        return Failure(error, code=text_of(body.get("code")))
    if not isinstance(error, Mapping):
        return Failure(text_of(error))
    message = error.get("message", error.get("detail", body.get("message")))
    return Failure(
        message if isinstance(message, str) else text_of(message),
        code=text_of(error.get("code")),
        type=text_of(error.get("type")),
        param=text_of(error.get("param")),
    )


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a vendor may take, in seconds."""

    connect: float = 10.0
    headers: float = 600.0
    """From the request's end to the status line; answers that are not streamed come after all the work."""
    first_byte: float = 300.0
    """From the headers to the first byte of the body."""
    idle: float = 120.0
    """Between two pieces of the body."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor's API, as far as it is the same for all its operations."""

    id: str
    """Short name: of the price file, and in `VendorState.provider`."""
    name: str
    """For people."""
    base_url: str
    """Without a slash at its end; settings may name another."""
    key: str = ""
    """Variable that holds the key; empty = there is none."""
    key_required: bool = True
    authorise: Callable[[str], Mapping[str, str]] = bearer
    """Headers that carry a key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request."""
    read_failure: Callable[[Any], Failure] = read_openai_failure
    """Reads the body of an error: JSON, or its text when it is none."""
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    """What its own codes and types mean."""
    request_id_headers: tuple[str, ...] = ("x-request-id", "request-id")
    retries_conflicts: bool = False
    """Whether it documents that a 409 may be tried again."""
