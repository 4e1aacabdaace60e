"""Options of gRPC channels and servers that everything of ours uses, and what they are called on the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

import grpc

from mediaconduit.streams import MESSAGE_BYTES

Options = tuple[tuple[str, int | str], ...]

READ_AHEAD_BYTES: Final = 256 * 1024
"""Flow-control window of a stream. With gRPC's own bandwidth probing a server wrote 5 MB ahead of a reader that had
stopped; with this window 0.3 MB, at the same throughput (docs/decisions/0003-bytes-in-flight.md)."""

_COMMON: Final[Options] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES + 64 * 1024),
    ("grpc.max_send_message_length", MESSAGE_BYTES + 64 * 1024),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", READ_AHEAD_BYTES),
)

CLIENT_OPTIONS: Final[Options] = (
    *_COMMON,
    # One layer retries, and it is not this one.
    ("grpc.enable_retries", 0),
)

LOCAL_OPTIONS: Final[Options] = (
    *CLIENT_OPTIONS,
    # The default authority of a Unix socket is its escaped path, which servers in Rust and C# refuse.
    ("grpc.default_authority", "localhost"),
    # A socket that is not there yet will be in milliseconds; gRPC's own first back-off is a second.
    ("grpc.initial_reconnect_backoff_ms", 20),
    # Not a back-off: how long an attempt to connect may take. At 20 a busy machine fails calls to a living server.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 200),
)

SERVER_OPTIONS: Final[Options] = (
    *_COMMON,
    ("grpc.so_reuseport", 0),
)

TLS_NAME: Final = "mediaconduit"
"""Whom certificates of broker and sidecars are for; what counts is that they are the very ones."""

PROVIDER_HEADER: Final = "x-mediaconduit-provider"
CALLER_HEADER: Final = "x-mediaconduit-caller"
GENERATION_HEADER: Final = "x-mediaconduit-generation"
SOURCE_HEADER: Final = "x-mediaconduit-source"
QUEUE_HEADER: Final = "x-mediaconduit-queue-ms"


@dataclass(frozen=True, slots=True, repr=False)
class MutualTls:
    """Certificates of two that know each other; nobody else is let in, whoever signed for them. All in PEM."""

    certificate: bytes
    """Our own, for the name `TLS_NAME`."""
    key: bytes
    """Its private key."""
    peer: bytes
    """The certificate that the other end must have."""

    def server_credentials(self) -> grpc.ServerCredentials:
        """For the end that listens."""
        return grpc.ssl_server_credentials([(self.key, self.certificate)], self.peer, require_client_auth=True)


def open_channel(target: str, tls: MutualTls | None = None) -> grpc.aio.Channel:
    """An aio channel to "host:port" or "unix:path", with our options; insecure without `tls`."""
    local = target.startswith("unix:")
    if tls is None:
        return grpc.aio.insecure_channel(target, options=LOCAL_OPTIONS if local else CLIENT_OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.peer, tls.key, tls.certificate)
    options = (*LOCAL_OPTIONS, ("grpc.ssl_target_name_override", TLS_NAME))
    return grpc.aio.secure_channel(target, credentials, options=options)


async def write(call: grpc.aio.StreamStreamCall[Any, Any], message: bytes) -> bool:
    """Sends a serialised message, once the flow control of the other end allows it. False when the call has ended.

    Instead of ``call.write``, which answers a send that fails because the server has just ended the call by replacing
    the server's status with INTERNAL "Internal error from Core" (measured, grpcio 1.85.1): the reader of such a call
    would never learn why it ended. Cancelling this cancels the call, as there.
    """
    try:
        await call.wait_for_connection()
        await cast(Any, call)._cython_call.send_serialized_message(message)
    except asyncio.CancelledError:
        call.cancel()
        raise
    except (grpc.RpcError, grpc.aio.InternalError):
        return False
    return True
