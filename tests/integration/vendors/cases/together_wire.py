"""What the cases of Together share: its lists, its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediaconduit.errors import Reason
from mediaconduit_vendors.testing import json_reply

from tests.integration.vendors.matrix import Case, Refusal

DESCRIPTION = "together/openapi.yaml"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(64))
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(range(200))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)


def _listed(model_id: str, kind: str, price: float = 0, **more: Any) -> dict[str, Any]:
    pricing = {"hourly": 0, "input": price, "output": 2 * price, "base": 0, "finetune": 0}
    return {"id": model_id, "object": "model", "created": 1, "type": kind, "pricing": pricing, **more}


VOICES = json_reply(
    {
        "data": [
            {"model": "hexgrad/Kokoro-82M", "voices": [{"id": "1", "name": "af_alloy"}, {"id": "2", "name": "shared"}]},
            {
                "model": "cartesia/sonic-2",
                "voices": [{"id": "3", "name": "laidback woman"}, {"id": "2", "name": "shared"}],
            },
        ]
    }
)
LISTS = {
    "GET /v1/models": json_reply(
        [
            _listed("acme/talk-7B", "chat", 0.5, context_length=32768),
            _listed("acme/talk-VL-7B", "chat", 0.5),
            _listed("acme/base-7B", "language", 0.2),
            _listed("acme/embed", "embedding", 0.01),
            _listed("acme/rank", "rerank", 0.1),
            _listed("acme/draw", "image"),
            _listed("acme/film", "video"),
        ]
    ),
    "GET /v1/voices": VOICES,
}


def refusal(status: int) -> dict[str, Any]:
    """An error as Together writes it."""
    return {"error": {"message": f"made up: {status}", "type": "made_up_error", "param": None, "code": None}}


def wrong(param: str, field: str) -> Refusal:
    """A value that Together refuses, by its name and by ours."""
    error = {"message": "Unsupported value.", "type": "invalid_request_error", "param": param, "code": None}
    return Refusal(400, {"error": error}, Reason.INPUT_INVALID, field)


_LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens"
REFUSALS = (
    Refusal(403, {"error": {"message": _LONG, "type": "invalid_request_error"}}, Reason.CONTEXT_TOO_LONG),
    Refusal(402, {"error": {"message": "No credit.", "type": "credit_limit", "param": None}}, Reason.QUOTA_EXCEEDED),
)
ERROR_EVENT = b'data: {"error": {"message": "The server had an error", "type": "server_error", "code": null}}\n\n'


def case(operation: str, path: str, check: Callable[[Any], None], **more: Any) -> Case:
    """A case of Together's."""
    defaults: dict[str, Any] = {"errors": refusal, "routes": LISTS, "description": DESCRIPTION}
    return Case(vendor="together", operation=operation, path=path, check=check, **{**defaults, **more})
