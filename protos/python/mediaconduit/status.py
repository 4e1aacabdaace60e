"""Between typed errors and ``google.rpc.Status``: the only place that knows both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NoReturn, Protocol, cast

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from mediaconduit.errors import FieldViolation, MediaConduitError, Reason, family_of

DOMAIN: Final = "mediaconduit"
DETAILS_LIMIT: Final = 4096
"""Bytes of details a status may carry; past 8 KiB gRPC may drop the error with them (measured)."""

_TRAILER: Final = "grpc-status-details-bin"


class _Aborting(Protocol):
    async def abort_with_status(self, status: grpc.Status) -> NoReturn: ...


def to_status(error: MediaConduitError) -> Status:
    """Packs an error: ErrorInfo first, then what fits into `DETAILS_LIMIT`."""
    status = Status(code=getattr(code_pb2, error.code), message=_cut(error.message, 1024))
    info = error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN)
    for key, value in error.metadata.items():
        info.metadata[key] = _cut(value, 2048)
    if error.hint:
        info.metadata["hint"] = _cut(error.hint, 512)
    _attach(status, info)
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after * 1e9))
        _attach(status, retry)
    if error.fields:
        _attach(status, _bad_request(error.fields))
    for detail in error.details:
        if isinstance(detail, Message):
            _attach(status, detail)
    return status


def from_status(status: Status) -> MediaConduitError:
    """Unpacks what `to_status` packed; a status of somebody else becomes an error of the family its code suggests."""
    reason, hint, metadata, retry_after = Reason.UNSPECIFIED, "", {}, None
    fields: list[FieldViolation] = []
    details: list[Message] = []
    for packed in status.details:
        info, retry, bad = _INFO(), _RETRY(), _BAD()
        if packed.Unpack(info):
            reason = Reason(info.reason) if info.reason in Reason.__members__ else Reason.UNSPECIFIED
            metadata = dict(info.metadata)
            hint = metadata.pop("hint", "")
        elif packed.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
        elif packed.Unpack(bad):
            fields += [FieldViolation(v.field, v.description) for v in bad.field_violations]
        elif (message := _known(packed)) is not None:
            details.append(message)
    cls = family_of(reason, code_pb2.Code.Name(status.code))
    return cls(
        status.message,
        reason=reason,
        hint=hint,
        fields=fields,
        metadata=metadata,
        retry_after=retry_after,
        details=details,
    )


def from_rpc_error(error: grpc.RpcError) -> MediaConduitError:
    """The typed error behind a failed call of either flavour of grpc."""
    trailers = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    for key, value in trailers:
        if key == _TRAILER:
            return from_status(Status.FromString(value if isinstance(value, bytes) else value.encode("latin-1")))
    code = error.code()
    name = code.name if code is not None else "UNKNOWN"
    plain = {"CANCELLED": Reason.CANCELLED, "DEADLINE_EXCEEDED": Reason.DEADLINE_EXCEEDED}.get(name)
    hint = "is a broker running there? start one with `mediaconduit up`" if name == "UNAVAILABLE" else ""
    cls = family_of(plain or Reason.UNSPECIFIED, name)
    return cls(error.details() or name.lower().replace("_", " "), reason=plain or Reason.UNSPECIFIED, hint=hint)


async def abort(context: _Aborting, error: MediaConduitError) -> NoReturn:
    """Ends an aio call with the error. Raises, as ``context.abort`` does."""
    await context.abort_with_status(rpc_status.to_status(to_status(error)))
    raise AssertionError("abort returned")


_INFO: Final = error_details_pb2.ErrorInfo
_RETRY: Final = error_details_pb2.RetryInfo
_BAD: Final = error_details_pb2.BadRequest


def _known(packed: Any) -> Message | None:
    from mediaconduit.v1 import events_pb2, media_pb2  # only errors of vendors carry these

    for cls in (events_pb2.Usage, media_pb2.Scores):
        message = cls()
        if packed.Unpack(message):
            return message
    return None


def _attach(status: Status, message: Message) -> None:
    packed = Any()
    packed.Pack(message)
    if status.ByteSize() + packed.ByteSize() <= DETAILS_LIMIT:
        status.details.append(packed)


def _bad_request(fields: tuple[FieldViolation, ...]) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    budget = DETAILS_LIMIT // 2
    for field in fields:
        budget -= len(field.field) + len(field.description) + 16
        if budget < 0:
            break
        bad.field_violations.add(field=field.field, description=field.description)
    return bad


def _cut(text: str, limit: int) -> str:
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[: limit - 3].decode("utf-8", "ignore") + "…"
