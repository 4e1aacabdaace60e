"""How a call failed, as it came over the wire, and whether the contract lets calls fail like that. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from mediaconduit.errors import CODES, Reason
from mediaconduit.status import DETAILS_LIMIT, DOMAIN

_TRAILER: Final = "grpc-status-details-bin"
_LEAKS: Final = (
    re.compile(r"Traceback \(most recent call last\)|^\s*File \"[^\"]+\", line \d+|^\s*at .+\(.+:\d+:\d+\)", re.M),
    re.compile(r"(?<![\w/.:-])/(home|root|tmp|usr|var|opt|private|Users)/[\w.-]+|[A-Za-z]:\\\\?Users\\"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The status of a call that failed."""

    code: str
    """Name of the gRPC code ("NOT_FOUND")."""
    message: str
    reasons: tuple[str, ...] = ()
    """Reason of every ErrorInfo."""
    domains: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    """Of all ErrorInfos."""
    fields: tuple[str, ...] = ()
    """Fields that BadRequest names."""
    retry: bool = False
    """Whether it carries RetryInfo."""
    details_bytes: int = 0
    broken: bool = False
    """The details cannot be read."""

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> Failure:
        """From what the stub raised."""
        code, message = error.code().name, error.details() or ""
        packed = next((value for key, value in error.trailing_metadata() or () if key == _TRAILER), None)
        if packed is None:
            return cls(code, message)
        raw = packed if isinstance(packed, bytes) else packed.encode("latin-1")
        try:
            status = Status.FromString(raw)
        except DecodeError:
            return cls(code, message, details_bytes=len(raw), broken=True)
        return cls._unpacked(code, message, status, len(raw))

    @classmethod
    def _unpacked(cls, code: str, message: str, status: Status, size: int) -> Failure:
        infos, fields, retry = [], [], False
        for packed in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if packed.Unpack(info):
                infos.append(info)
            elif packed.Unpack(bad):
                fields += [violation.field for violation in bad.field_violations]
            elif packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                retry = True
        return cls(
            code,
            message,
            reasons=tuple(info.reason for info in infos),
            domains=tuple(info.domain for info in infos),
            metadata=tuple(pair for info in infos for pair in info.metadata.items()),
            fields=tuple(fields),
            retry=retry,
            details_bytes=size,
        )

    @property
    def needs(self) -> str:
        """What it says is missing, as the name of a variable; empty unless it fails for want of a key."""
        if self.reasons != (Reason.CREDENTIALS_MISSING,):
            return ""
        return dict(self.metadata).get("variable", "").replace(",", ", ") or "a key"

    def __str__(self) -> str:
        reason = f"/{'+'.join(self.reasons)}" if self.reasons else ""
        fields = f" in {', '.join(self.fields[:3])}" if self.fields else ""
        return f"{self.code}{reason}{fields} ({self.message[:160]!r})"

    def faults(self) -> list[str]:
        """What about it the contract forbids, whatever the cause."""
        if self.broken:
            return ["its details are not a google.rpc.Status"]
        found = []
        if len(self.reasons) != 1:
            found.append(f"it carries {len(self.reasons)} ErrorInfos instead of one")
        for reason, domain in zip(self.reasons, self.domains, strict=True):
            found += _info_faults(reason, domain, self.code)
        if self.details_bytes > DETAILS_LIMIT:
            found.append(f"its details have {self.details_bytes} bytes; at most {DETAILS_LIMIT} arrive for sure")
        if leak := self.leak():
            found.append(f"it tells the caller {leak!r}")
        return found

    def leak(self) -> str:
        """A piece of a traceback or a path of the provider's machine, if the caller is told one."""
        text = "\n".join([self.message, *(value for _, value in self.metadata)])
        return next((match[0] for pattern in _LEAKS if (match := pattern.search(text))), "")


def _info_faults(reason: str, domain: str, code: str) -> list[str]:
    if domain != DOMAIN:
        return [f"the domain of its ErrorInfo is {domain!r}, not {DOMAIN!r}"]
    if reason not in Reason.__members__ or reason == Reason.UNSPECIFIED:
        return [f"its reason {reason!r} is not in the list of ErrorReason"]
    if CODES[Reason(reason)] != code:
        return [f"its reason {reason} belongs to {CODES[Reason(reason)]}, not to {code}"]
    return []
