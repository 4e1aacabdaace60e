"""For tests of vendor providers: a made-up vendor that streams, splits, stalls and breaks as told.

Real sockets and real HTTP; nothing of the client under test is replaced.
"""

from __future__ import annotations

from mediaconduit_vendors.testing.replies import (
    Close,
    Pause,
    Reply,
    Step,
    Wait,
    binary,
    failure,
    json_reply,
    ndjson,
    sse,
)
from mediaconduit_vendors.testing.requests import FormField, Request
from mediaconduit_vendors.testing.upstream import Answer, Upstream

__all__ = [
    "Answer",
    "Close",
    "FormField",
    "Pause",
    "Reply",
    "Request",
    "Step",
    "Upstream",
    "Wait",
    "binary",
    "failure",
    "json_reply",
    "ndjson",
    "sse",
]
