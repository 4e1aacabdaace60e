"""Typed errors: one closed list of reasons, shared by client, provider hosts and broker.

    MediaConduitError
    ├── InvalidRequestError    the request is wrong; sending it again will not help
    ├── NotFoundError          a model, provider, source or resource does not exist
    ├── PreconditionError      something must be changed first: a key, a setting, a source, a dependency
    ├── AccessError            the caller is unknown or not allowed
    ├── ExhaustedError         too fast, too much, or too busy
    ├── UnavailableError       not there now; another try may succeed
    ├── CallTimeoutError       a deadline passed
    ├── CallCancelledError     the caller left
    ├── UnsupportedError       an optional service the server does not have
    └── InternalError          our fault or the vendor's; the text stays in the logs

Nothing in here knows gRPC beyond the names of its status codes; ``mediaconduit.status`` translates.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final


class Reason(enum.StrEnum):
    """Why a call failed: ``mediaconduit.v1.ErrorReason`` without its prefix."""

    UNSPECIFIED = "UNSPECIFIED"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    PROVIDER_NOT_FOUND = "PROVIDER_NOT_FOUND"
    CAPABILITY_UNSUPPORTED = "CAPABILITY_UNSUPPORTED"
    INPUT_INVALID = "INPUT_INVALID"
    INPUT_TOO_LARGE = "INPUT_TOO_LARGE"
    CREDENTIALS_MISSING = "CREDENTIALS_MISSING"
    CREDENTIALS_REJECTED = "CREDENTIALS_REJECTED"
    NOT_ALLOWED = "NOT_ALLOWED"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    OVERLOADED = "OVERLOADED"
    CONTENT_REFUSED = "CONTENT_REFUSED"
    CONTEXT_TOO_LONG = "CONTEXT_TOO_LONG"
    VENDOR_UNAVAILABLE = "VENDOR_UNAVAILABLE"
    VENDOR_PROTOCOL = "VENDOR_PROTOCOL"
    PROVIDER_NOT_READY = "PROVIDER_NOT_READY"
    PROVIDER_CRASHED = "PROVIDER_CRASHED"
    PROVIDER_DRAINING = "PROVIDER_DRAINING"
    WRONG_INSTANCE = "WRONG_INSTANCE"
    SOURCE_NOT_TRUSTED = "SOURCE_NOT_TRUSTED"
    BUILD_FAILED = "BUILD_FAILED"
    INTERNAL = "INTERNAL"
    CALLER_UNKNOWN = "CALLER_UNKNOWN"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    EVENTS_EXPIRED = "EVENTS_EXPIRED"
    RESUME_REJECTED = "RESUME_REJECTED"
    VENDOR_TIMEOUT = "VENDOR_TIMEOUT"
    CANCELLED = "CANCELLED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    SOURCE_NOT_FOUND = "SOURCE_NOT_FOUND"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    SERVICE_UNSUPPORTED = "SERVICE_UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One mistake in a request or a file."""

    field: str
    """Path from the request ("options.audio.speed", "turns[0].parts[1]") or "file:line"."""
    description: str
    """What is wrong and what is allowed."""


class MediaConduitError(Exception):
    """What went wrong, why, and what to do next.

    Args:
        message: For people: what happened. No secrets, no paths of the machine it happened on.
        reason: From the closed list; each family has a default.
        hint: What to do next.
        fields: The mistakes found, for INPUT_INVALID and MANIFEST_INVALID.
        metadata: Facts for programs, as the reason's documentation names them.
        retry_after: Seconds after which another try makes sense.
        details: Further messages of the contract (``Usage``, ``Scores``) that travel with the error.
    """

    default_reason: ClassVar[Reason] = Reason.UNSPECIFIED

    def __init__(
        self,
        message: str,
        *,
        reason: Reason | None = None,
        hint: str = "",
        fields: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        details: Sequence[object] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.hint = hint
        self.fields = tuple(fields)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        self.details = tuple(details)

    @property
    def code(self) -> str:
        """Name of the gRPC status code ("NOT_FOUND")."""
        return CODES[self.reason]

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.retry_after is not None or self.reason in _RETRYABLE

    def __str__(self) -> str:
        lines = [self.message, *(f"  {f.field}: {f.description}" for f in self.fields)]
        return "\n".join([*lines, f"hint: {self.hint}"] if self.hint else lines)


class InvalidRequestError(MediaConduitError):
    """The request is wrong; sending it again will not help."""

    default_reason = Reason.INPUT_INVALID

    @classmethod
    def at(cls, field: str, description: str, *, hint: str = "") -> InvalidRequestError:
        """The mistake in one field."""
        return cls(f"{field}: {description}", fields=[FieldViolation(field, description)], hint=hint)


class NotFoundError(MediaConduitError):
    """A model, provider, source or resource does not exist."""

    default_reason = Reason.RESOURCE_NOT_FOUND


class PreconditionError(MediaConduitError):
    """Something must be changed first: a key, a setting, a source, a dependency."""

    default_reason = Reason.CAPABILITY_UNSUPPORTED


class AccessError(MediaConduitError):
    """The caller is unknown or not allowed."""

    default_reason = Reason.NOT_ALLOWED


class ExhaustedError(MediaConduitError):
    """Too fast, too much, or too busy."""

    default_reason = Reason.OVERLOADED


class UnavailableError(MediaConduitError):
    """Not there now; another try may succeed."""

    default_reason = Reason.PROVIDER_NOT_READY


class CallTimeoutError(MediaConduitError):
    """A deadline passed."""

    default_reason = Reason.DEADLINE_EXCEEDED


class CallCancelledError(MediaConduitError):
    """The caller left."""

    default_reason = Reason.CANCELLED


class UnsupportedError(MediaConduitError):
    """An optional service the server does not have."""

    default_reason = Reason.SERVICE_UNSUPPORTED


class InternalError(MediaConduitError):
    """Our fault or the vendor's. ``metadata["error_id"]`` finds it in the logs."""

    default_reason = Reason.INTERNAL

    @classmethod
    def unexpected(cls) -> InternalError:
        """For an exception nobody foresaw: its text must not leave the process, its error id does."""
        error_id = uuid.uuid4().hex[:12]
        return cls(
            f"an unexpected error ended the call (error id {error_id})",
            hint="the provider's logs have the details under this error id",
            metadata={"error_id": error_id},
        )


_FAMILIES: Final[dict[type[MediaConduitError], dict[Reason, str]]] = {
    InvalidRequestError: {
        Reason.INPUT_INVALID: "INVALID_ARGUMENT",
        Reason.INPUT_TOO_LARGE: "INVALID_ARGUMENT",
        Reason.CONTEXT_TOO_LONG: "INVALID_ARGUMENT",
        Reason.CONTENT_REFUSED: "INVALID_ARGUMENT",
        Reason.REQUEST_ID_REUSED: "ALREADY_EXISTS",
        Reason.EVENTS_EXPIRED: "OUT_OF_RANGE",
    },
    NotFoundError: {
        Reason.MODEL_NOT_FOUND: "NOT_FOUND",
        Reason.PROVIDER_NOT_FOUND: "NOT_FOUND",
        Reason.RESOURCE_NOT_FOUND: "NOT_FOUND",
        Reason.SOURCE_NOT_FOUND: "NOT_FOUND",
    },
    PreconditionError: {
        Reason.CAPABILITY_UNSUPPORTED: "FAILED_PRECONDITION",
        Reason.CREDENTIALS_MISSING: "FAILED_PRECONDITION",
        Reason.CREDENTIALS_REJECTED: "FAILED_PRECONDITION",
        Reason.WRONG_INSTANCE: "FAILED_PRECONDITION",
        Reason.SOURCE_NOT_TRUSTED: "FAILED_PRECONDITION",
        Reason.BUILD_FAILED: "FAILED_PRECONDITION",
        Reason.RESUME_REJECTED: "FAILED_PRECONDITION",
        Reason.MANIFEST_INVALID: "FAILED_PRECONDITION",
    },
    AccessError: {Reason.NOT_ALLOWED: "PERMISSION_DENIED", Reason.CALLER_UNKNOWN: "UNAUTHENTICATED"},
    ExhaustedError: {
        Reason.RATE_LIMITED: "RESOURCE_EXHAUSTED",
        Reason.QUOTA_EXCEEDED: "RESOURCE_EXHAUSTED",
        Reason.OVERLOADED: "RESOURCE_EXHAUSTED",
    },
    UnavailableError: {
        Reason.VENDOR_UNAVAILABLE: "UNAVAILABLE",
        Reason.PROVIDER_NOT_READY: "UNAVAILABLE",
        Reason.PROVIDER_CRASHED: "UNAVAILABLE",
        Reason.PROVIDER_DRAINING: "UNAVAILABLE",
    },
    CallTimeoutError: {
        Reason.VENDOR_TIMEOUT: "DEADLINE_EXCEEDED",
        Reason.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    },
    CallCancelledError: {Reason.CANCELLED: "CANCELLED"},
    UnsupportedError: {Reason.SERVICE_UNSUPPORTED: "UNIMPLEMENTED"},
    InternalError: {
        Reason.INTERNAL: "INTERNAL",
        Reason.VENDOR_PROTOCOL: "INTERNAL",
    },
    MediaConduitError: {Reason.UNSPECIFIED: "UNKNOWN"},
}

CODES: Final[Mapping[Reason, str]] = {r: c for family in _FAMILIES.values() for r, c in family.items()}
"""gRPC status code of every reason."""

_FAMILY_OF: Final = {r: cls for cls, family in _FAMILIES.items() for r in family}
_FAMILY_OF_CODE: Final[dict[str, type[MediaConduitError]]] = {
    code: cls for cls, family in _FAMILIES.items() for code in family.values()
}
_RETRYABLE: Final = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.OVERLOADED,
        Reason.VENDOR_UNAVAILABLE,
        Reason.PROVIDER_NOT_READY,
        Reason.PROVIDER_CRASHED,
        Reason.PROVIDER_DRAINING,
    }
)


def family_of(reason: Reason, code: str = "UNKNOWN") -> type[MediaConduitError]:
    """The class for a reason; for an unknown reason the one that fits the status code."""
    if reason is Reason.UNSPECIFIED:
        return _FAMILY_OF_CODE.get(code, MediaConduitError)
    return _FAMILY_OF[reason]
