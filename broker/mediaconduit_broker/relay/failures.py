"""What a caller is told when its sidecar fails."""

from __future__ import annotations

import secrets
from typing import Final

import grpc
import structlog
from mediaconduit.errors import (
    CallTimeoutError,
    InternalError,
    InvalidRequestError,
    MediaConduitError,
    Reason,
    UnavailableError,
)
from mediaconduit.status import from_rpc_error

from mediaconduit_broker.relay.pump import ChannelClosedError
from mediaconduit_broker.runners import Exit
from mediaconduit_broker.secrets import Redactor
from mediaconduit_broker.supervision import Instance

_EXIT_SECONDS: Final = 2.0
"""A connection breaks a little before the process is reaped."""

_log = structlog.get_logger(__name__)


async def explain(
    error: grpc.aio.AioRpcError | ChannelClosedError, instance: Instance, provider_id: str, redactor: Redactor
) -> MediaConduitError:
    """The typed error behind a failed call to a sidecar: its own words where it had any, else what became of it.

    Its own words may quote a vendor who quotes a key: the provider's secrets are taken out.
    """
    if isinstance(error, ChannelClosedError):
        return await _lost(instance, provider_id)
    known = from_rpc_error(error)
    if known.reason is Reason.CANCELLED:
        # The caller has not left, or nobody would ask: the channel was closed under the call.
        return await _lost(instance, provider_id)
    if known.reason is not Reason.UNSPECIFIED:
        if known.reason is Reason.DEADLINE_EXCEEDED and not known.metadata:
            return CallTimeoutError("the call's deadline passed", hint="allow more time, or ask for less")
        return redactor.error(known)
    code = error.code()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # gRPC's own: a message over its limit.
        return InvalidRequestError(
            "a message is larger than 4 MiB",
            reason=Reason.INPUT_TOO_LARGE,
            metadata={"limit": "4194304"},
            hint="send large inputs in chunks by TransformLive",
        )
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED):
        return await _lost(instance, provider_id)
    unexpected = InternalError.unexpected()
    _log.error(
        "sidecar broke the contract",
        provider=provider_id,
        code=code.name,
        details=redactor.text(error.details() or ""),
        error_id=unexpected.metadata["error_id"],
    )
    return unexpected


async def _lost(instance: Instance, provider_id: str) -> MediaConduitError:
    exit_ = await instance.ended(_EXIT_SECONDS)
    if exit_ is not None:
        return _crashed(exit_, provider_id)
    return UnavailableError(
        f"the connection to provider {provider_id} was lost",
        metadata={"state": "READY", "why": "connection lost"},
        hint="try again",
    )


def _crashed(exit_: Exit, provider_id: str) -> UnavailableError:
    error_id = secrets.token_hex(6)
    metadata = {"error_id": error_id}
    if exit_.code is not None:
        metadata["exit_code"] = str(exit_.code)
    if exit_.signal is not None:
        metadata["signal"] = str(exit_.signal)
    hint = f"try again; `mediaconduit provider logs {provider_id}` has what it last wrote"
    if exit_.limit:
        metadata["limit"], _, metadata["limit_value"] = exit_.limit.partition("=")
        hint = f"ask for less, or raise {metadata['limit']} in [providers.{provider_id}.limits]"
    _log.error("sidecar crashed during a call", provider=provider_id, how=str(exit_), error_id=error_id)
    return UnavailableError(
        f"provider {provider_id} {exit_} during the call (error id {error_id})",
        reason=Reason.PROVIDER_CRASHED,
        metadata=metadata,
        hint=hint,
    )
