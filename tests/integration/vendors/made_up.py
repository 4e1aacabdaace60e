"""A vendor that does not exist, in OpenAI's style, with the one case it has: an example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mediaconduit import Result
from mediaconduit_vendors.api import Api, Request
from mediaconduit_vendors.openai.chat import Chat
from mediaconduit_vendors.provider import VendorModel, VendorProvider
from mediaconduit_vendors.testing import json_reply, sse
from mediaconduit_vendors.vendor import Vendor

from tests.integration.vendors.matrix import Case

DESCRIPTION = """
openapi: 3.1.0
servers: [{url: "https://made-up.example/v1"}]
paths:
  /chat/completions:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [model, messages]
              properties:
                model: {type: string}
                messages: {type: array, items: {type: object}}
                stream: {type: boolean}
                stream_options: {type: object}
  /models:
    get: {}
"""


class MadeUp(VendorProvider):
    vendor = Vendor("made-up", "Made Up", "https://made-up.example/v1", key="MADE_UP_KEY")
    chat: Any = Chat()

    async def discover(self, api: Api) -> Sequence[VendorModel]:
        listed, _ = await api.json(Request("GET", "/models"))
        return [VendorModel(m["id"], ["text-to-text"], operations={"text-to-text": self.chat}) for m in listed["data"]]


def _chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def _check(result: Result) -> None:
    assert result.text == "Grüße 👋"
    assert result.usage.units["output-token"] == 2
    assert result.provenance.vendor_model == "m-1"


USAGE = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
CASE = Case(
    vendor="openai-compatible",
    operation="chat",
    make_provider=MadeUp,
    base="/v1",
    path="/v1/chat/completions",
    model="m",
    routes={"GET /v1/models": json_reply({"data": [{"id": "m"}]})},
    reply=sse(_chunk("Grüße"), _chunk(" 👋", "stop"), USAGE, "[DONE]"),
    check=_check,
    errors=lambda status: {"error": {"message": f"no: {status}", "type": "", "code": None}},
    stream_error=b'data: {"error": {"message": "oh", "type": "server_error"}}\n\n',
    description="made-up.yaml",
)
