"""Log probabilities of tokens, as this style writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mediaconduit.v1.events_pb2 import TokenLogprob


def token_logprobs(tokens: Iterable[Mapping[str, Any]]) -> Sequence[TokenLogprob]:
    """Each token with its alternatives."""
    return [
        TokenLogprob(
            token=_token(token),
            logprob=token.get("logprob") or 0.0,
            alternatives=[
                TokenLogprob(token=_token(other), logprob=other.get("logprob") or 0.0)
                for other in filter(None, token.get("top_logprobs") or ())
            ],
        )
        for token in filter(None, tokens)
    ]


def _token(token: Mapping[str, Any]) -> bytes:
    stated = token.get("bytes")
    if stated and None not in stated:
        return bytes(stated)
    return str(token.get("token") or "").encode("utf-8", "replace")
